"""Telephone numbering: the area codes of North America, the country codes, and how long national numbers are.

Facts of the North American Numbering Plan and of ITU-T E.164; a test compares them with libphonenumber's, whose own
check costs a hundred times as much.
"""

from __future__ import annotations

_AREA_CODES = """
    201-210 212-220 223-229 231 234-236 239-240 242 246 248-254 256-257 260 262-263 267-270 272-274 276 279 281
    283-284 289 301-310 312-321 323-327 329-332 334 336-337 339-341 343 345-347 350-354 360-361 363-365 367-369 380
    382 385-386 401-410 412-419 423-425 428 430-432 434-435 437-438 440-443 445 447-448 450 458 463-464 468-470
    472-475 478-480 484 500-510 512-534 539-541 544 548 551 557 559 561-564 566-567 570-575 577 579-582 584-588
    600-610 612-620 622-623 626 628-631 633 636 639-641 645-647 649-651 656-662 667 669-672 678 680-683 686 689
    701-709 712-720 724-728 730-732 734 737-738 740 742-743 747-748 753-754 757-758 760 762-763 765 769-775 778-782
    784-787 800-810 812-821 825-826 828-833 835 838-840 843-845 847-850 854-860 862-870 872-873 876-879 888 900-910
    912-920 925 928-931 934 936-943 945 947-949 951-952 954 956 959 970-973 975 978-980 983-986 989
"""
# Least and most digits of a national number: country codes.
_LENGTHS = {
    (6, 9): "27 40 46 252 298 299 376 386 421 508 597 672 681 687 688 690",
    (6, 12): "39 43 49 53 63 82 95 98 352 358 359 375 381 598 685 880 971",
    (7, 8): "238 239 241 246 248 269 291 297 592 599 670 673 674 675 676 677 678 680 683 691 692 853 961 965 975",
    (7, 10): "44 48 61 220 230 231 243 245 254 263 265 267 353 354 355 372 385 423 960 967 968",
    (7, 12): "31 62 86 501 503 507 595 679 882 972 974",
    (
        8,
        9,
    ): "32 36 45 47 51 213 216 222 223 224 226 227 228 232 233 235 236 237 250 253 257 258 264 266 268 350 356 357 "
    "370 371 373 374 377 382 387 389 505 509 591 686 689 800 852 962 963 973 993",
    (8, 11): "20 57 60 64 65 81 84 91 92 66 378 383 502 504 506 593 850 855 856 883 886 964 970 976 977",
    (
        9,
        9,
    ): "33 34 41 93 94 211 212 218 221 240 242 244 249 251 255 256 260 261 262 351 420 590 594 596 992 994 995 998",
    (9, 11): "55 56 380 870 881 966 996",
    (10, 12): "1 7 30 52 54 58 90 225 229 234 878",
}


def _area_codes() -> frozenset[str]:
    codes: set[str] = set()
    for entry in _AREA_CODES.split():
        low, _, high = entry.partition("-")
        codes.update(str(code) for code in range(int(low), int(high or low) + 1))
    return frozenset(codes)


AREA_CODES = _area_codes()
"""Three digits that a number in North America may begin with."""

COUNTRIES = {code: lengths for lengths, codes in _LENGTHS.items() for code in codes.split()} | {"1": (10, 10)}
"""Country code to the least and most digits of a national number."""


def national(digits: str) -> str | None:
    """The national part of an international number without its "+", None if no country has numbers like it."""
    for size in (1, 2, 3):
        lengths = COUNTRIES.get(digits[:size])
        if lengths is not None:
            rest = digits[size:]
            return rest if lengths[0] <= len(rest) <= lengths[1] else None
    return None


def north_american(digits: str) -> bool:
    """Whether ten digits, or eleven that begin with 1, are a number in service in North America, by their form."""
    ten = digits[-10:]
    return (
        (len(digits) == 10 or (len(digits) == 11 and digits[0] == "1"))
        and ten[:3] in AREA_CODES
        and ten[3] in "23456789"
        and ten[4:6] != "11"
    )
