"""A Solana development network in one process: JSON-RPC over LiteSVM, the real virtual machine.

`slots` is its time, `machine` the virtual machine, `bank` executes transactions, `chain` keeps what
landed and on disk, `rpc` speaks. `bubblegum` models the one program that no registry ships.
"""
