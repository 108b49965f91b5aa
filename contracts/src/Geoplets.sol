// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title Geoplets for the development world: one token a Farcaster id, minted with a voucher.
/// @notice Has the public interface of the Geoplets contract on Base and its refusals, word for
/// word. The picture is checked and left in the transaction's calldata; it is not stored.
contract Geoplets is ERC721, EIP712 {
    struct MintVoucher {
        address to;
        uint256 fid;
        uint256 nonce;
        uint256 deadline;
    }

    bytes32 public constant MINT_VOUCHER_TYPEHASH =
        keccak256("MintVoucher(address to,uint256 fid,uint256 nonce,uint256 deadline)");

    /// @notice How far ahead of the chain's time a deadline may lie, in seconds.
    uint256 public constant MAX_SIGNATURE_VALIDITY = 3600;

    /// @notice Longest picture, in bytes of its base64 text.
    uint256 public constant MAX_IMAGE_SIZE = 24576;

    /// @notice Who signs vouchers.
    address public immutable signerWallet;

    /// @notice Whether a Farcaster id has its token; the token's id is the same number.
    mapping(uint256 fid => bool) public fidMinted;

    /// @notice Digests of vouchers that were used.
    mapping(bytes32 digest => bool) public usedSignatures;

    event GeopletMinted(uint256 indexed tokenId, address indexed owner);

    constructor(address signer) ERC721("Geoplets", "GEOPLETS") EIP712("Geoplets", "1") {
        signerWallet = signer;
    }

    /// @notice Mints the token of `voucher.fid` to the caller, whom the voucher must name.
    function mintGeoplet(
        MintVoucher calldata voucher,
        string calldata base64Image,
        bytes calldata signature
    ) external returns (uint256) {
        require(block.timestamp <= voucher.deadline, "Signature expired");
        require(
            voucher.deadline <= block.timestamp + MAX_SIGNATURE_VALIDITY, "Deadline too long"
        );
        require(msg.sender == voucher.to, "Caller mismatch");
        bytes32 digest = digestOf(voucher);
        require(!usedSignatures[digest], "Signature already used");
        (address recovered,,) = ECDSA.tryRecover(digest, signature);
        require(recovered == signerWallet, "Invalid signature");
        require(!fidMinted[voucher.fid], "FID already minted");
        require(bytes(base64Image).length > 0, "Empty image data");
        require(bytes(base64Image).length <= MAX_IMAGE_SIZE, "Image too large (24KB max)");

        usedSignatures[digest] = true;
        fidMinted[voucher.fid] = true;
        _mint(voucher.to, voucher.fid);
        emit GeopletMinted(voucher.fid, voucher.to);
        return voucher.fid;
    }

    /// @notice What the signer of a voucher signs (EIP-712).
    function digestOf(MintVoucher calldata voucher) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    MINT_VOUCHER_TYPEHASH, voucher.to, voucher.fid, voucher.nonce, voucher.deadline
                )
            )
        );
    }
}
