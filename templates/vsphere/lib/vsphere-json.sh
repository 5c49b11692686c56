# JSON as govc writes it, read with awk: what it says otherwise is cut short or takes a tool that the site may not have.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# json_flat <JSON: a line for each scalar: its path, a tab, its value. Paths are in small letters, for govc writes
# .Config.ExtraConfig before 0.31 and .config.extraConfig since. \n and \t stay as they are written; null is empty.
json_flat() {
    LC_ALL=C awk '
        { text = text $0 "\n" }
        function path(   i, p) { for (i = 1; i <= depth; i++) p = p (i > 1 ? "." : "") (kind[i] == "[" ? at[i] : name[i]); return tolower(p) }
        function scalar(value) { if (depth) { printf "%s\t%s\n", path(), value } }
        function plain(value) {
            while (match(value, /\\u00[0-7][0-9a-fA-F]/))
                value = substr(value, 1, RSTART - 1) letter(substr(value, RSTART + 4, 2)) substr(value, RSTART + 6)
            gsub(/\\\//, "/", value); gsub(/\\"/, "\"", value); gsub(/\\\\/, "\\", value)
            return value
        }
        function letter(hex,   high, low) {
            hex = tolower(hex); high = index("0123456789abcdef", substr(hex, 1, 1)) - 1; low = index("0123456789abcdef", substr(hex, 2, 1)) - 1
            return high * 16 + low < 32 ? " " : sprintf("%c", high * 16 + low)
        }
        function outside(piece,   i, c) {
            for (i = 1; i <= length(piece); i++) {
                c = substr(piece, i, 1)
                if (c == "{" || c == "[") { depth++; kind[depth] = c; at[depth] = 0; isname = (c == "{") }
                else if (c == "}" || c == "]") { word(); depth--; isname = 0 }
                else if (c == ",") { word(); if (kind[depth] == "[") { at[depth]++; isname = 0 } else isname = 1 }
                else if (c == ":") isname = 0
                else if (c !~ /[ \n\r\t]/) bare = bare c
            }
        }
        function word() { if (bare != "") { scalar(bare == "null" ? "" : bare); bare = "" } }
        END {
            n = split(text, part, "\"")
            for (i = 1; i <= n; i++) {
                outside(part[i])
                if (++i > n) break
                value = part[i]
                # A quote after an odd number of backslashes belongs to the string.
                while (match(value, /\\+$/) && RLENGTH % 2 && i < n) value = value "\"" part[++i]
                if (isname) name[depth] = plain(value); else scalar(plain(value))
            }
        }'
}

# json_properties <FLAT: of what object.collect says, NAME, a tab, VALUE: config.uuid; config.extraconfig.KEY, whose key keeps
# its letters; config.hardware.device.INDEX.MEMBER.
json_properties() {
    LC_ALL=C awk -F '\t' '
        { split($1, step, "."); value = substr($0, length($1) + 2) }
        step[2] == "name" && step[3] == "" { property = tolower(value); next }
        step[2] != "val" { next }
        step[3] == "" { print property "\t" value; next }
        # The list is called OptionValue, VirtualDevice or _value; its members have numbers.
        step[5] == "key" && property == "config.extraconfig" { key = value; next }
        step[5] == "value" && step[6] == "" && property == "config.extraconfig" { print property "." key "\t" value; next }
        property == "config.extraconfig" { next }
        { rest = $1; sub(/^[^.]*\.[^.]*\.[^.]*\./, "", rest); print property "." rest "\t" value }'
}

# json_value FILE NAME: of json_properties' lines.
json_value() {
    LC_ALL=C awk -F '\t' -v name="$2" '$1 == name { print substr($0, length($1) + 2); exit }' "$1"
}
