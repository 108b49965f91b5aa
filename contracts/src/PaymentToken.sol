// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title The token role mints are paid with in the development world.
/// @notice Worth nothing: its owner makes as much of it as anybody asks for.
contract PaymentToken is ERC20, Ownable {
    constructor(address owner) ERC20("Mega Payment Token", "MPT") Ownable(owner) {}

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @notice The faucet: creates `amount` atomic units for `to`.
    function mint(address to, uint256 amount) external onlyOwner {
        _mint(to, amount);
    }
}
