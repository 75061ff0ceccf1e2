"""Exact money: integer counts of minor units in ISO 4217 currencies."""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

# ISO 4217 active codes with their number of decimals where it is not two.
_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR
MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

DECIMALS: dict[str, int] = (
    dict.fromkeys(_TWO.split(), 2) | dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_THREE.split(), 3)
)
"""Currency code → how many decimals its minor unit has."""

LARGEST = 10**15
"""The largest amount in minor units: below 2**53, so that sums of amounts stay exact in float64."""

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Moves a decimal point without rounding, however many digits there are."""


def to_minor(amount: Decimal, currency: str) -> int:
    """The exact count of minor units in a positive finite amount.

    >>> to_minor(Decimal("99.99"), "USD"), to_minor(Decimal("5e2"), "JPY")
    (9999, 500)

    Raises ValueError with a plain sentence for what is not positive, too large, or too precise.
    """
    if amount <= 0:
        raise ValueError("Amount must be positive")
    # The exponent is looked at before any arithmetic: 1e999999999 is a short text and a long integer.
    if amount.adjusted() > 18:
        raise ValueError(_too_large(currency))
    minor = amount.scaleb(DECIMALS[currency], _EXACT)
    if minor != minor.to_integral_value():
        raise ValueError(f"Amount has more decimals than {currency} has ({DECIMALS[currency]})")
    if minor > LARGEST:
        raise ValueError(_too_large(currency))
    return int(minor)


def to_text(minor: int, currency: str) -> str:
    """The decimal text of an amount, with all decimals of its currency.

    >>> to_text(9999, "USD"), to_text(500, "JPY"), to_text(7, "KWD")
    ('99.99', '500', '0.007')
    """
    decimals = DECIMALS[currency]
    if decimals == 0:
        return str(minor)
    whole, part = divmod(minor, 10**decimals)
    return f"{whole}.{part:0{decimals}d}"


def _too_large(currency: str) -> str:
    return f"Amount is too large: at most {to_text(LARGEST, currency)} {currency}"
