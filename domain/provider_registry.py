"""The providers that the product comes with: the defaults of `mma.provider.registry` and of each
`mma.provider.<name>.defaults`. Wire facts: spec `providers.md` §2 and §3, marks there.

`seedream` and `replicate` make stills, `kling` and `replicate_video` videos.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.provider_answer import ErrorClass

STILL_IMAGES = {
    "$list": [
        {"$": "images.previous"},
        {"$": "images.product"},
        {"$": "images.logo"},
        {"$": "images.inspirations"},
    ]
}

REFUSED_BY_ARK = ("*SensitiveContentDetected*: *", "*RiskDetection*: *")
# By their part before the first dot.
ARK_CODES: Mapping[str, ErrorClass] = {
    "AuthenticationError": "invalid",
    "AccessDenied": "invalid",
    "InvalidEndpointOrModel": "invalid",
    "ModelNotOpen": "invalid",
    "MissingParameter": "invalid",
    "InvalidParameter": "invalid",
    "AccountOverdueError": "quota",
    "QuotaExceeded": "quota",
    "RateLimitExceeded": "throttled",
    "ServerOverloaded": "transient",
    "InternalServiceError": "transient",
}

SEEDREAM = {
    "name": "seedream",
    "shape": "sync_json",
    "base_url": "setting:SEEDREAM_URL",
    "path": "/api/v3/images/generations",
    "auth": {"type": "bearer", "key": "seedream"},
    "request": {
        "headers": {"X-Client-Request-Id": {"$": "reference"}},
        "body": {
            "$allowed": {
                "model": {"$": "model"},
                "prompt": {"$": "prompt"},
                "image": STILL_IMAGES,
                "size": {
                    "$first": [
                        {"$": "settings.aspect_ratio", "map": "defaults.sizes"},
                        {"$": "defaults.size"},
                    ]
                },
                "seed": {"$": "settings.seed", "as": "integer"},
                "guidance_scale": {"$": "defaults.guidance_scale"},
                "response_format": {"$": "defaults.response_format"},
                "watermark": {"$": "defaults.watermark"},
                "sequential_image_generation": {"$": "defaults.sequential_image_generation"},
            }
        },
    },
    "response": {
        "outputs": ["/data/*/url"],
        "base64": ["/data/*/b64_json"],
        "facts": {"model": ["/model"], "size": ["/data/*/size"], "usage": ["/usage"]},
    },
    "errors": {
        "code": ["/error/code", "/data/*/error/code"],
        "message": ["/error/message", "/data/*/error/message"],
        "rules": [
            *({"pattern": pattern, "class": "refused"} for pattern in REFUSED_BY_ARK),
            *({"code": code, "class": kind} for code, kind in ARK_CODES.items()),
        ],
    },
    "media": "still",
}

# How both models speak on Replicate.
REPLICATE: Mapping[str, Any] = {
    "shape": "async_webhook",
    "base_url": "setting:REPLICATE_URL",
    "path": "/v1/models/{model}/predictions",
    "auth": {"type": "bearer", "key": "replicate"},
    "response": {
        "task": ["/id"],
        "status": {
            "at": ["/status"],
            "working": ["starting", "processing"],
            "done": ["succeeded"],
            "failed": ["failed", "canceled", "aborted"],
        },
        "poll": "/v1/predictions/{task_id}",
        "outputs": ["/output/*", "/output"],
        "facts": {"request_id": ["/id"], "version": ["/version"], "usage": ["/metrics"]},
    },
    "errors": {
        "message": ["/error", "/detail", "/title"],
        "rules": [
            {"pattern": "*(E005)*", "class": "refused"},
            {"pattern": "*flagged as sensitive*", "class": "refused"},
            {"pattern": "*NSFW*", "class": "refused"},
        ],
    },
}
REPLICATE_CALLBACK = {
    "webhook": {"$": "callback_url"},
    "webhook_events_filter": {"$": "callback_url", "then": ["completed"]},
}

REPLICATE_STILL = {
    **REPLICATE,
    "name": "replicate",
    "request": {
        "body": {
            "input": {
                "$allowed": {
                    "prompt": {"$": "prompt"},
                    "image_input": STILL_IMAGES,
                    "size": {"$": "defaults.size"},
                    "aspect_ratio": {
                        "$first": [{"$": "settings.aspect_ratio"}, {"$": "defaults.aspect_ratio"}]
                    },
                    "sequential_image_generation": {"$": "defaults.sequential_image_generation"},
                    "max_images": {"$": "defaults.max_images"},
                    "enhance_prompt": {"$": "defaults.enhance_prompt"},
                }
            },
            **REPLICATE_CALLBACK,
        }
    },
    "media": "still",
}

# Kling's kwaivgi/kling-v2.1 as Kling itself: two frames need the mode that costs more.
KLING_MODE = {"$first": [{"$": "images.end_image", "then": "pro"}, {"$": "defaults.mode"}]}

REPLICATE_VIDEO = {
    **REPLICATE,
    "name": "replicate_video",
    "request": {
        "body": {
            "input": {
                "$allowed": {
                    "prompt": {"$": "prompt"},
                    "negative_prompt": {"$": "defaults.negative_prompt"},
                    "start_image": {"$": "images.image"},
                    "end_image": {"$": "images.end_image"},
                    "mode": KLING_MODE,
                    "duration": {
                        "$first": [
                            {"$": "settings.duration", "as": "integer"},
                            {"$": "defaults.duration", "as": "integer"},
                        ]
                    },
                }
            },
            **REPLICATE_CALLBACK,
        }
    },
    "media": "video",
}

KLING_PATH = "/v1/videos/image2video"
KLING_CODES = {
    **dict.fromkeys(("1100", "1101", "1102"), "quota"),
    "1301": "refused",
    **dict.fromkeys(("1302", "1303"), "throttled"),
    **dict.fromkeys(("1103", "1304", "1200", "1201", "1202", "1203", "1300"), "invalid"),
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), "invalid"),
    **dict.fromkeys(("5000", "5001"), "transient"),
    "5002": "unknown",
}

KLING = {
    "name": "kling",
    "shape": "async_webhook",
    "base_url": "setting:KLING_URL",
    "path": KLING_PATH,
    "auth": {"type": "kling_jwt"},
    "request": {
        "body": {
            "$allowed": {
                "model_name": {"$": "model"},
                "image": {"$": "images.image"},
                "image_tail": {"$": "images.end_image"},
                "prompt": {"$": "prompt"},
                "negative_prompt": {"$": "defaults.negative_prompt"},
                "cfg_scale": {"$": "defaults.cfg_scale"},
                "mode": KLING_MODE,
                "duration": {
                    "$first": [
                        {"$": "settings.duration", "as": "text"},
                        {"$": "defaults.duration", "as": "text"},
                    ]
                },
                "sound": {"$": "defaults.sound"},
                "callback_url": {"$": "callback_url"},
                "external_task_id": {"$": "reference"},
            }
        }
    },
    "response": {
        "task": ["/data/task_id"],
        "status": {
            "at": ["/data/task_status"],
            "working": ["submitted", "processing"],
            "done": ["succeed"],
            "failed": ["failed"],
        },
        "poll": f"{KLING_PATH}/{{task_id}}",
        "find": f"{KLING_PATH}/{{reference}}",
        "outputs": ["/data/task_result/videos/*/url"],
        "facts": {
            "request_id": ["/request_id"],
            "duration": ["/data/task_result/videos/*/duration"],
            "units": ["/data/final_unit_deduction"],
        },
    },
    "errors": {
        "code": ["/code"],
        "message": ["/data/task_status_msg", "/message"],
        "ok": ["0"],
        "rules": [
            *({"code": code, "class": kind} for code, kind in KLING_CODES.items()),
            {"pattern": "*risk control*", "class": "refused"},
        ],
    },
    "media": "video",
}

DEFAULT_REGISTRY: list[dict[str, Any]] = [SEEDREAM, REPLICATE_STILL, KLING, REPLICATE_VIDEO]

DEFAULT_DEFAULTS: Mapping[str, dict[str, Any]] = {
    "seedream": {
        "model": "seedream-4-0-250828",
        # Another model may need another list: 5.0 refuses what 4.0 takes (`providers.md` §2a).
        "parameters": [
            "model",
            "prompt",
            "image",
            "size",
            "seed",
            "response_format",
            "watermark",
            "sequential_image_generation",
        ],
        "size": "1024x1024",
        "sizes": {
            "1:1": "1024x1024",
            "4:3": "1152x864",
            "3:4": "864x1152",
            "16:9": "1280x720",
            "9:16": "720x1280",
            "3:2": "1248x832",
            "2:3": "832x1248",
            "21:9": "1512x648",
        },
        "response_format": "b64_json",
        "watermark": False,
        "sequential_image_generation": "disabled",
    },
    "replicate": {
        "model": "bytedance/seedream-4",
        "size": "1K",
        "aspect_ratio": "1:1",
        "sequential_image_generation": "disabled",
        "enhance_prompt": False,
    },
    "kling": {"model": "kling-v2-1", "mode": "std", "duration": "5"},
    "replicate_video": {"model": "kwaivgi/kling-v2.1", "mode": "standard", "duration": 5},
}
