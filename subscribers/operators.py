"""Which operator gave out which Chinese mobile numbers: first digits -> operator.

From the public numbering plan as it stood on `AS_OF`, virtual operators under the network that carries them. A hint
only: a number can move to another operator and keep its digits, so what receipts tell overrules this table.
"""

from __future__ import annotations

from datetime import date

AS_OF = date(2026, 11, 1)

_RANGES = {
    "mobile": """134 135 136 137 138 139 1440 147 148 150 151 152 157 158 159 165 1703 1705 1706 172 178
                 182 183 184 187 188 195 197 198""",
    "unicom": "130 131 132 1400 145 146 155 156 166 167 1704 1707 1708 1709 171 175 176 185 186 196",
    "telecom": "133 1349 1410 149 153 162 1700 1701 1702 173 1740 177 180 181 189 190 191 193 199",
    "broadnet": "192",
}
#: three or four digits -> operator; four are the exception from their three
BY_PREFIX = {prefix: operator for operator, prefixes in _RANGES.items() for prefix in prefixes.split()}
