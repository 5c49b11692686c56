# XML without a library: values are escaped on their way in, and answers are read into rows that grep and awk can search.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# xml_text TEXT: as it may stand in an element or a quoted attribute (XML 1.0, 2.4). Control characters were refused before.
xml_text() {
    case $1 in
    *[\&\<\>\"\']*) ;;
    *)
        printf '%s' "$1"
        return 0
        ;;
    esac
    printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g; s/'\''/\&apos;/g'
}

# xml_rows FILE: one row for each element, in the order in which they open, by tabs: path of local names, place (the same
# path with each element's number among all, so that a child is found below its parent), text, then NAME=VALUE of each
# attribute. Servers choose prefixes as they like and versions differ in them, so prefixes are dropped. Tabs and line ends
# in values become spaces. It reads what a server writes, not all of XML: no entities but the five and numbers.
xml_rows() {
    LC_ALL=C awk '
        function local_name(name) { sub(/^.*:/, "", name); return name }
        function plain(text,   at, code, out) {
            out = ""
            while ((at = index(text, "&")) > 0) {
                out = out substr(text, 1, at - 1); text = substr(text, at)
                if (!match(text, /^&[#A-Za-z0-9]+;/)) { out = out "&"; text = substr(text, 2); continue }
                code = substr(text, 2, RLENGTH - 2); text = substr(text, RLENGTH + 1)
                if (code == "lt") out = out "<"
                else if (code == "gt") out = out ">"
                else if (code == "amp") out = out "&"
                else if (code == "quot") out = out "\""
                else if (code == "apos") out = out "\047"
                else if (substr(code, 1, 2) == "#x") out = out character(hexadecimal(substr(code, 3)))
                else if (substr(code, 1, 1) == "#") out = out character(substr(code, 2) + 0)
                else out = out "&" code ";"
            }
            out = out text
            gsub(/[\t\r\n]/, " ", out)
            return out
        }
        function hexadecimal(digits,   at, value) {
            value = 0
            for (at = 1; at <= length(digits); at++) value = value * 16 + index("0123456789abcdef", tolower(substr(digits, at, 1))) - 1
            return value
        }
        # In the C locale %c is a byte, so UTF-8 (RFC 3629, 3) is written by hand.
        function character(code) {
            if (code < 128) return sprintf("%c", code)
            if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
            if (code < 65536) return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
            return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, 128 + int(code / 64) % 64, 128 + code % 64)
        }
        # Gives what follows the tag; its attributes go to the row. ">" may stand in a value.
        function attributes(rest,   name, quote, at, value) {
            while (1) {
                sub(/^[ \t\r\n]+/, "", rest)
                if (rest == "") return ""
                if (substr(rest, 1, 1) == ">") return substr(rest, 2)
                if (substr(rest, 1, 2) == "/>") { empty = 1; return substr(rest, 3) }
                if (!match(rest, /^[^ \t\r\n=>\/]+/)) { rest = substr(rest, 2); continue }
                name = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 1)
                if (!match(rest, /^[ \t\r\n]*=[ \t\r\n]*/)) continue
                rest = substr(rest, RLENGTH + 1)
                quote = substr(rest, 1, 1); rest = substr(rest, 2)
                at = index(rest, quote)
                if (at == 0) return ""
                value = plain(substr(rest, 1, at - 1)); rest = substr(rest, at + 1)
                if (name !~ /^xmlns(:|$)/) row[n] = row[n] "\t" local_name(name) "=" value
            }
        }
        function close_one() { if (depth > 0) { depth--; path = up_path[depth]; place = up_place[depth]; now = up_now[depth] } }
        BEGIN { RS = "<"; n = 0; depth = 0; path = ""; place = ""; now = 0 }
        NR == 1 { next }
        inside == "comment" { if (index($0, "-->")) inside = ""; next }
        inside == "cdata" || /^!\[CDATA\[/ {
            piece = (inside == "cdata") ? "<" $0 : substr($0, 9)
            at = index(piece, "]]>")
            inside = at ? "" : "cdata"
            if (at) piece = substr(piece, 1, at - 1)
            gsub(/[\t\r\n]/, " ", piece)
            text[now] = text[now] piece
            next
        }
        /^!--/ { if (!index($0, "-->")) inside = "comment"; next }
        /^[!?]/ { next }
        /^\// { close_one(); at = index($0, ">"); text[now] = text[now] plain(substr($0, at + 1)); next }
        match($0, /^[^ \t\r\n\/>]+/) {
            name = local_name(substr($0, 1, RLENGTH)); rest = substr($0, RLENGTH + 1)
            up_path[depth] = path; up_place[depth] = place; up_now[depth] = now; depth++
            n++; now = n; path = path "/" name; place = place "/" name "." n
            paths[n] = path; places[n] = place; row[n] = ""; text[n] = ""; empty = 0
            rest = attributes(rest)
            if (empty) close_one()
            text[now] = text[now] plain(rest)
        }
        END {
            for (i = 1; i <= n; i++) {
                value = text[i]
                gsub(/^ +| +$/, "", value)
                printf "%s\t%s\t%s%s\n", paths[i], places[i], value, row[i]
            }
        }' "$1"
}

# rows_pick ROWS PATH WHAT [NAME VALUE]...: of every element whose path ends in PATH and whose attributes are those, WHAT:
# an attribute's name, . for the text, @ for the place; one line each, empty where it has none.
rows_pick() {
    pick_rows=$1 pick_path=$2 pick_what=$3
    shift 3
    pick_if=''
    while [ $# -gt 1 ]; do
        pick_if="$pick_if$1=$2
"
        shift 2
    done
    # Through the environment, because awk would take backslashes of -v for escapes. No secret is ever looked for.
    pick_path=$pick_path pick_what=$pick_what pick_if=$pick_if LC_ALL=C awk -F '\t' '
        BEGIN { end = ENVIRON["pick_path"]; what = ENVIRON["pick_what"]; wanted = split(ENVIRON["pick_if"], want, "\n") - 1 }
        substr($1, length($1) - length(end) + 1) == end {
            found = 0
            for (i = 1; i <= wanted; i++) for (f = 4; f <= NF; f++) if ($f == want[i]) { found++; break }
            if (found < wanted) next
            if (what == ".") print $3
            else if (what == "@") print $2
            else {
                value = ""
                for (f = 4; f <= NF; f++) if (index($f, what "=") == 1) value = substr($f, length(what) + 2)
                print value
            }
        }' "$pick_rows"
}

# rows_below ROWS PLACE PATH WHAT: the same, only below a place.
rows_below() {
    pick_place=$2 LC_ALL=C awk -F '\t' '{ place = ENVIRON["pick_place"] "/" } substr($2, 1, length(place)) == place' "$1" >"$1.below"
    rows_pick "$1.below" "$3" "$4"
}
