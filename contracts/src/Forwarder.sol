// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title A contract wallet for tests: makes several calls in one transaction, as itself.
/// @notice Anybody may use it, so it must never hold anything of worth.
contract Forwarder {
    struct Call {
        address to;
        bytes data;
    }

    error CallFailed(uint256 index, bytes reason);

    function forward(Call[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool ok, bytes memory reason) = calls[i].to.call(calls[i].data);
            if (!ok) revert CallFailed(i, reason);
        }
    }
}
