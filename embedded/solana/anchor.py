"""How a program made with Anchor says no: its codes, and the line it logs.

Numbers and messages are those of Anchor, of Bubblegum 5.1.0 and of the account compression program.
"""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey


@dataclass(frozen=True, slots=True)
class AnchorError:
    code: int
    name: str
    message: str

    def log(self) -> str:
        told = f"Error Code: {self.name}. Error Number: {self.code}. Error Message: {self.message}."
        return f"Program log: AnchorError occurred. {told}"


class Refusal(Exception):
    """An instruction fails. `fault` is Anchor's error, or what the runtime says."""

    def __init__(self, fault: AnchorError | str | dict[str, int], *logs: str) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.logs = logs


NOT_FOUND = AnchorError(101, "InstructionFallbackNotFound", "Fallback functions are not supported")
UNREADABLE = AnchorError(
    102, "InstructionDidNotDeserialize", "The program could not deserialize the given instruction"
)
NOT_WRITABLE = AnchorError(2000, "ConstraintMut", "A mut constraint was violated")
WRONG_SEEDS = AnchorError(2006, "ConstraintSeeds", "A seeds constraint was violated")
NOT_ZERO = AnchorError(2013, "ConstraintZero", "Expected zero account discriminant")
TOO_FEW_ACCOUNTS = AnchorError(
    3005, "AccountNotEnoughKeys", "Not enough account keys given to the instruction"
)
WRONG_OWNER = AnchorError(
    3007,
    "AccountOwnedByWrongProgram",
    "The given account is owned by a different program than expected",
)
WRONG_PROGRAM = AnchorError(3008, "InvalidProgramId", "Program ID was not as expected")
NOT_SIGNED = AnchorError(3010, "AccountNotSigner", "The given account did not sign")
NOT_INITIALIZED = AnchorError(
    3012, "AccountNotInitialized", "The program expected this account to be already initialized"
)

UNSUPPORTED_VERSION = AnchorError(6003, "UnsupportedSchemaVersion", "Unsupported Schema Version")
SHARES = AnchorError(6004, "CreatorShareTotalMustBe100", "Creator shares must sum to 100")
DUPLICATE_CREATOR = AnchorError(
    6005, "DuplicateCreatorAddress", "No duplicate creator addresses in metadata"
)
UNVERIFIED = AnchorError(6006, "CreatorDidNotVerify", "Creator did not verify the metadata")
TOO_MANY_CREATORS = AnchorError(6011, "CreatorsTooLong", "Creators list too long")
LONG_NAME = AnchorError(6012, "MetadataNameTooLong", "Name in metadata is too long")
LONG_SYMBOL = AnchorError(6013, "MetadataSymbolTooLong", "Symbol in metadata is too long")
LONG_URI = AnchorError(6014, "MetadataUriTooLong", "Uri in metadata is too long")
HIGH_FEE = AnchorError(
    6015, "MetadataBasisPointsTooHigh", "Basis points in metadata cannot exceed 10000"
)
WRONG_AUTHORITY = AnchorError(
    6016, "TreeAuthorityIncorrect", "Tree creator or tree delegate must sign."
)
TREE_FULL = AnchorError(6017, "InsufficientMintCapacity", "Not enough unapproved mints left")
WRONG_TREE_OWNER = AnchorError(6019, "IncorrectOwner", "Incorrect account owner")
WRONG_STANDARD = AnchorError(6040, "InvalidTokenStandard", "Only NonFungible standard is supported")
SMALL_CANOPY = AnchorError(
    6041, "InvalidCanopySize", "Canopy size should be set bigger for this tree"
)
FROZEN = AnchorError(6045, "AssetIsFrozen", "Asset is frozen")
NOT_THE_OWNER = AnchorError(6047, "InvalidAuthority", "Invalid authority")
NOT_AVAILABLE = AnchorError(6050, "NotAvailable", "Feature not currently available")
NO_COLLECTION = AnchorError(6051, "MissingCollectionAccount", "Missing collection account")

TREE_ERROR = AnchorError(6001, "ConcurrentMerkleTreeError", "Concurrent merkle tree error")
NO_SUCH_SHAPE = AnchorError(
    6003,
    "ConcurrentMerkleTreeConstantsError",
    "An unsupported max depth or max buffer size constant was provided",
)


@dataclass(frozen=True, slots=True)
class Used:
    """An account as an instruction names it; `index` is its place in the transaction."""

    index: int
    key: Pubkey
    signs: bool
    written: bool


def require(holds: bool, error: AnchorError) -> None:
    if not holds:
        raise Refusal(error)


def signer(used: Used) -> Pubkey:
    require(used.signs, NOT_SIGNED)
    return used.key


def writable(used: Used) -> Used:
    require(used.written, NOT_WRITABLE)
    return used


def program(used: Used, expected: Pubkey) -> None:
    require(used.key == expected, WRONG_PROGRAM)
