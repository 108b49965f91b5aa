"""How the upload routes say no: the table from each refusal to its status and code. The problem of
the first two has a `reason`, one word for a frontend to act on."""

from __future__ import annotations

from api.uploads import StoreSilent
from domain.upload import UploadRejected, UrlRejected

# class of refusal → status, code, seconds after which asking again makes sense
UPLOAD_TABLE: dict[type[Exception], tuple[int, str, int | None]] = {
    UploadRejected: (422, "UPLOAD_REJECTED", None),
    UrlRejected: (422, "URL_REJECTED", None),
    StoreSilent: (503, "STORE_UNAVAILABLE", 2),
}
