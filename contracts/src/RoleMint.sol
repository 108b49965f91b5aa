// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721URIStorage} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721URIStorage.sol";

/// @title Roles as tokens, paid for in an ERC-20.
/// @notice Every payment names the order it is for, so that it is found on the chain although
/// nobody reports it. The price is not known here: the backend compares what was paid with what
/// was asked, and a second payment for an order is owed back by the backend, not refused here.
/// Token ids start at 1; 0 means "none".
contract RoleMint is ERC721URIStorage {
    using SafeERC20 for IERC20;

    IERC20 public immutable token;
    address public immutable treasury;
    address public immutable minter;

    uint256 public lastTokenId;

    /// @notice The token the minter made for an order, 0 while there is none.
    mapping(bytes32 orderRef => uint256 tokenId) public finalTokenOf;

    event RoleMinted(
        bytes32 indexed orderRef,
        address indexed payer,
        uint256 indexed tokenId,
        address token,
        address recipient,
        uint256 amount
    );
    event RolePaid(
        bytes32 indexed orderRef,
        address indexed payer,
        address token,
        address recipient,
        uint256 amount
    );
    event RoleMintedFinal(
        bytes32 indexed orderRef,
        address indexed to,
        uint256 indexed tokenId,
        string uri
    );

    error NotMinter(address caller);
    error FinalAlreadyMinted(bytes32 orderRef, uint256 tokenId);

    constructor(IERC20 token_, address treasury_, address minter_) ERC721("Mega Roles", "MROLE") {
        token = token_;
        treasury = treasury_;
        minter = minter_;
    }

    /// @notice Pays `amount` for `orderRef` and mints the next token to the caller.
    function mint(bytes32 orderRef, uint256 amount) external returns (uint256 tokenId) {
        token.safeTransferFrom(msg.sender, treasury, amount);
        tokenId = ++lastTokenId;
        _mint(msg.sender, tokenId);
        emit RoleMinted(orderRef, msg.sender, tokenId, address(token), treasury, amount);
    }

    /// @notice Pays `amount` for `orderRef`; its token is minted by `mintFinal` later.
    function pay(bytes32 orderRef, uint256 amount) external {
        token.safeTransferFrom(msg.sender, treasury, amount);
        emit RolePaid(orderRef, msg.sender, address(token), treasury, amount);
    }

    /// @notice Mints the one finished token of `orderRef`; only the minter, only once.
    function mintFinal(bytes32 orderRef, address to, string calldata uri)
        external
        returns (uint256 tokenId)
    {
        if (msg.sender != minter) revert NotMinter(msg.sender);
        if (finalTokenOf[orderRef] != 0) {
            revert FinalAlreadyMinted(orderRef, finalTokenOf[orderRef]);
        }
        tokenId = ++lastTokenId;
        finalTokenOf[orderRef] = tokenId;
        _mint(to, tokenId);
        _setTokenURI(tokenId, uri);
        emit RoleMintedFinal(orderRef, to, tokenId, uri);
    }
}
