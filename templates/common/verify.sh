#!/bin/sh
# shellcheck disable=SC2015,SC2094 # "a && b || c": c if either fails; reading one file twice is meant
# Verifies this bundle with tools that are on every box: is it what its signer made, whole, and nothing more?
#
# usage: verify.sh [--trust KEY|FINGERPRINT|none] [--bundle FILE] [--quiet] [--help]
#
#   --trust KEY          the signer's public key, a PEM file that you got by another channel than the bundle
#   --trust SHA256:...   the fingerprint of that key, 64 hexadecimal digits, got in the same way
#   --trust none         leave the signature unchecked: nobody then knows who made the bundle
#   --bundle FILE        verify a bundle's tar instead, before anything is unpacked
#   --quiet              say nothing but what is refused
#
# Exit status: 0 good, 1 refused, 2 usage, 3 a tool is missing or the disk fails.
# `cloudlet-bundle verify` climbs the same rungs and judges alike; docs/bundle-format.md says what each one asks.
set -eu
umask 077
LC_ALL=C
export LC_ALL
unset CDPATH ENV BASH_ENV POSIXLY_CORRECT

most_files=1000

main() {
    here=$(cd "$(dirname -- "$0")" && pwd -P)
    trust='' bundle='' quiet=no refused=no signed_by=''
    read_arguments "$@"
    need_tools
    work=$(mktemp -d) || stop "no temporary folder can be made"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 3' HUP INT TERM
    read_trust
    if form_rung; then
        signature_rung
        sums_rung
        extra_rung
        manifest_rung
    else
        for rung in signature sums no-extra manifest; do row "$rung" unreached "the form was refused"; done
    fi
    verdict
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --trust | --bundle)
            [ $# -ge 2 ] || wrong_usage "$1 needs a word after it"
            if [ "$1" = --trust ]; then trust=$2; else bundle=$2; fi
            shift 2
            ;;
        --trust=*) trust=${1#*=} && shift ;;
        --bundle=*) bundle=${1#*=} && shift ;;
        --quiet) quiet=yes && shift ;;
        --help | -h)
            sed -n '3,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"
            exit 0
            ;;
        *) wrong_usage "there is no option $1" ;;
        esac
    done
    case $bundle in '' | /*) ;; *) bundle=$PWD/$bundle ;; esac
    [ -z "$bundle" ] || [ -f "$bundle" ] && [ -r "${bundle:-/}" ] || stop "$bundle can't be read"
}

need_tools() {
    missing=''
    for tool in awk cat cmp comm cut dirname find grep head mktemp mv od rm sed sha256sum sort stat tail tr wc; do
        command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
    done
    [ "$trust" = none ] || command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
    [ -z "$missing" ] || stop "these tools are missing:$missing"
}

# read_trust: the fingerprint that is trusted; a key file gives its own.
read_trust() {
    case $trust in
    '' | none) return 0 ;;
    SHA256:* | sha256:*)
        trust=SHA256:$(printf '%s' "${trust#*:}" | tr -d ':' | tr 'ABCDEF' 'abcdef')
        printf '%s\n' "$trust" | grep -Eqx 'SHA256:[0-9a-f]{64}' || wrong_usage "a fingerprint is SHA256: and 64 hexadecimal digits"
        ;;
    *)
        [ -f "$trust" ] && [ -r "$trust" ] || stop "the key $trust can't be read"
        openssl pkey -pubin -in "$trust" >"$work/trusted.pem" 2>/dev/null && is_p256 "$work/trusted.pem" ||
            wrong_usage "$trust holds no ECDSA P-256 public key in PEM"
        trust=$(fingerprint "$work/trusted.pem")
        ;;
    esac
}

# is_p256 PEM: the DER of such a key always begins with these bytes (RFC 5480).
is_p256() {
    openssl pkey -pubin -in "$1" -outform DER 2>/dev/null | od -An -v -tx1 | tr -d ' \n' |
        grep -Eqx '3059301306072a8648ce3d020106082a8648ce3d03010703420004[0-9a-f]{128}'
}

fingerprint() {
    printf 'SHA256:'
    openssl pkey -pubin -in "$1" -outform DER | sha256sum | cut -d' ' -f1
}

# --- the files, wherever they are ----------------------------------------------------------------------------------

# form_rung: writes $work/files, one line a file: path, mode (octal), size, time or -, where its bytes begin in the tar.
form_rung() {
    : >"$work/issues" && : >"$work/folders"
    if [ -n "$bundle" ]; then archive_form; else folder_form; fi
    for each in manifest.json:1048576 SHA256SUMS:167000 SHA256SUMS.sig:72 SHA256SUMS.pub:178; do
        size=$(awk -v path="${each%:*}" '$1 == path { print $3 }' "$work/files")
        [ -s "$work/issues" ] || [ "${size:-0}" -le "${each#*:}" ] || issue too-big "${each%:*} has more than ${each#*:} bytes"
    done
    if [ -n "$bundle" ]; then
        says="$(lines "$work/files") entries, each a regular file in its place, and nothing beside them"
    else
        says="$(lines "$work/files") regular files, no links or devices"
    fi
    rung form "$says"
}

# folder_form: names first, because only then can the list be read line by line.
folder_form() {
    : >"$work/files"
    find "$here" -mindepth 1 \( -name '*[!A-Za-z0-9._-]*' -o ! -name '[A-Za-z0-9]*' \) | head -n 5 >"$work/names"
    [ ! -s "$work/names" ] || issue path "a name is not made of parts that begin with a letter or digit and hold letters, digits, '.', '_', '-'"
    find "$here" -mindepth 1 ! -type f ! -type d | head -n 5 >"$work/other"
    [ ! -s "$work/other" ] || issue not-a-file "something is neither a regular file nor a folder"
    [ ! -s "$work/issues" ] || return 0
    (cd "$here" && find . -mindepth 1 -type d) | sed 's|^\./||' | sort >"$work/folders"
    (cd "$here" && find . -type f -exec stat -c '%n %a %s - 0' {} +) | sed 's|^\./||' | sort >"$work/files"
    awk 'length($1) > 100 { exit 1 }' "$work/files" "$work/folders" || issue path "a name is longer than 100 characters"
    [ "$(lines "$work/files")" -le "$most_files" ] || issue too-many "there are more than $most_files files"
}

# archive_form: from header to header; behind the first that is wrong nothing can be made out. The bytes between a file's
# end and the next header are looked at together with that header.
archive_form() {
    archive_size=$(wc -c <"$bundle" | tr -d ' ')
    offset=0 gap=0 count=0 before=''
    : >"$work/files"
    while :; do
        [ "$((offset + gap))" -le "$archive_size" ] || { issue archive-size "the archive ends early, in ${before#?}"; return 0; }
        part "$bundle" "$offset" "$((gap + 512))" | od -An -v -tu1 |
            awk -v gap="$gap" -v before="$before" "$header_program" >"$work/header"
        read -r kind path mode size mtime <"$work/header"
        case $kind in
        padding) issue archive-padding "there are bytes between ${before#?} and the next entry" && return 0 ;;
        early) issue archive-size "the archive ends early, after $archive_size bytes" && return 0 ;;
        end) archive_end "$((archive_size - offset - gap))" && return 0 ;;
        type) issue archive-type "an entry is not a regular file: $path" && return 0 ;;
        path) issue path "a name is none that a bundle may hold" && return 0 ;;
        order) issue archive-order "$path stands out of its place, or twice" && return 0 ;;
        entry) ;;
        *) issue archive-header "a header is not the one that its entry must have: $path" && return 0 ;;
        esac
        count=$((count + 1))
        [ "$count" -le "$most_files" ] || { issue too-many "there are more than $most_files entries"; return 0; }
        start=$((offset + gap + 512)) gap=$(((512 - size % 512) % 512))
        offset=$((start + size))
        printf '%s %s %s %s %s\n' "$path" "$mode" "$size" "$mtime" "$start" >>"$work/files"
        case $path in blobs/*) before=1$path ;; *) before=0$path ;; esac
    done
}

# archive_end LEFT: two blocks of zeros, and nothing behind them.
archive_end() {
    if [ "$1" -lt 1024 ]; then
        issue archive-size "the archive ends early, in its last block"
    elif [ "$1" -gt 1024 ]; then
        issue archive-size "$(($1 - 1024)) bytes follow the end of the archive"
    elif [ "$(tail -c 1024 "$bundle" | tr -d '\000' | wc -c | tr -d ' ')" != 0 ]; then
        issue archive-padding "the archive's last block is not zeros"
    fi
}

# The one header that an entry of a bundle can have (POSIX.1-2017 pax, ustar): decoded, written again, compared.
# shellcheck disable=SC2016 # an awk program
header_program='
    { for (i = 1; i <= NF; i++) if (seen++ < gap) { if ($i + 0) dirty = 1 } else b[n++] = $i + 0 }
    function text(at, len,   s, k) { s = ""; for (k = at; k < at + len && b[k]; k++) s = s sprintf("%c", b[k]); return s }
    function octal(at, len,   v, k) { v = 0; for (k = at; k < at + len; k++) { if (b[k] < 48 || b[k] > 55) return -1; v = v * 8 + b[k] - 48 } return v }
    function put(at, len, value,   k) { for (k = at + len - 1; k >= at; k--) { w[k] = 48 + value % 8; value = int(value / 8) } w[at + len] = 32 }
    END {
        if (dirty) { print "padding"; exit }
        if (n < 512) { print "early"; exit }
        for (i = 0; i < 512; i++) if (b[i]) break
        if (i == 512) { print "end"; exit }
        sum = 0
        for (i = 0; i < 512; i++) sum += (i >= 148 && i < 156) ? 32 : b[i]
        path = text(0, 100)
        shown = path ~ /^[A-Za-z0-9._\/-]+$/ ? path : "?"
        if (b[156] != 48 && octal(148, 6) == sum) { print "type", shown; exit }
        mode = octal(100, 6); mtime = octal(136, 11)
        if (b[124] == 128) { size = 0; for (i = 125; i < 136; i++) size = size * 256 + b[i]; if (size <= 8589934591 || size >= 1e15) size = -1 }
        else size = octal(124, 11)
        if (path !~ /^[!-~]+$/ || mode < 0 || mode > 4095 || size < 0 || mtime < 0 || mtime > 2147483647) { print "header", shown; exit }
        for (i = 0; i < 512; i++) w[i] = 0
        for (i = 0; i < 100 && b[i]; i++) w[i] = b[i]
        put(100, 6, mode); put(108, 6, 0); put(116, 6, 0); put(136, 11, mtime); put(329, 6, 0); put(337, 6, 0)
        if (b[124] == 128) { for (i = 124; i < 136; i++) w[i] = b[i] } else put(124, 11, size)
        w[156] = 48
        split("117 115 116 97 114 0 48 48", u, " ")
        for (i = 1; i <= 8; i++) w[256 + i] = u[i] + 0
        put(148, 6, sum)
        for (i = 0; i < 512; i++) if (w[i] != b[i]) { print "header", shown; exit }
        if (length(path) > 100 || path !~ /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/) { print "path"; exit }
        place = (path ~ /^blobs\// ? "1" : "0") path
        if (before != "" && ("x" before) >= ("x" place)) { print "order", path; exit }
        printf "entry %s %o %.0f %.0f\n", path, mode, size, mtime
    }'

# part FILE START COUNT: these bytes.
part() {
    tail -c +"$(($2 + 1))" "$1" 2>/dev/null | head -c "$3"
}

is_there() {
    awk -v path="$1" '$1 == path { found = 1 } END { exit !found }' "$work/files"
}

# bytes_of PATH: the file's content, out of the folder or out of the tar.
bytes_of() {
    if [ -z "$bundle" ]; then
        cat "$here/$1"
    else
        # shellcheck disable=SC2046 # two numbers
        part "$bundle" $(awk -v path="$1" '$1 == path { print $5, $3 }' "$work/files")
    fi
}

# --- the rungs -----------------------------------------------------------------------------------------------------

signature_rung() {
    : >"$work/issues"
    if [ "$trust" = none ]; then
        row signature unchecked "not asked for (--trust none)"
        return 0
    fi
    signature_issues
    [ -s "$work/issues" ] || signed_by=$trust
    rung signature "SHA256SUMS is signed by $trust" || :
}

signature_issues() {
    if [ -z "$trust" ]; then
        issue no-trust "nobody said whose signature is trusted (--trust)"
    elif ! is_there SHA256SUMS; then
        issue missing-file "SHA256SUMS is missing"
    elif ! is_there SHA256SUMS.sig && ! is_there SHA256SUMS.pub; then
        issue unsigned "the bundle is not signed"
    elif ! is_there SHA256SUMS.sig; then
        issue missing-file "SHA256SUMS.sig is missing"
    elif ! is_there SHA256SUMS.pub; then
        issue missing-file "SHA256SUMS.pub is missing"
    else
        for each in SHA256SUMS SHA256SUMS.sig SHA256SUMS.pub; do bytes_of "$each" >"$work/$each"; done
        openssl pkey -pubin -in "$work/SHA256SUMS.pub" >"$work/again.pem" 2>/dev/null || :
        if ! cmp -s "$work/again.pem" "$work/SHA256SUMS.pub" || ! is_p256 "$work/again.pem"; then
            issue other-key "SHA256SUMS.pub is no P-256 public key in its one form"
        elif [ "$(fingerprint "$work/again.pem")" != "$trust" ]; then
            issue other-key "the bundle's key is $(fingerprint "$work/again.pem"), trusted is $trust"
        elif ! openssl dgst -sha256 -verify "$work/again.pem" -signature "$work/SHA256SUMS.sig" "$work/SHA256SUMS" >/dev/null 2>&1; then
            issue signature "SHA256SUMS.sig is no signature by $trust over SHA256SUMS"
        fi
    fi
}

# sums_rung: reads the sums as strictly as they are written, then hashes every file that they list.
sums_rung() {
    : >"$work/issues" && : >"$work/listed"
    has_sums=no
    if ! is_there SHA256SUMS; then
        issue missing-file "SHA256SUMS is missing"
    else
        bytes_of SHA256SUMS >"$work/SHA256SUMS"
        sums_form && has_sums=yes && sums_compare
    fi
    sums_good=no
    if rung sums "$(lines "$work/listed") files are those that SHA256SUMS lists"; then sums_good=yes; fi
}

sums_form() {
    [ "$(tail -c 1 "$work/SHA256SUMS" | od -An -tx1 | tr -d ' ')" = 0a ] || { issue sums-form "SHA256SUMS does not end with a line's end"; return 1; }
    if tr -d '\000' <"$work/SHA256SUMS" | cmp -s - "$work/SHA256SUMS" && said=$(awk -v most="$most_files" "$sums_program" "$work/SHA256SUMS"); then
        sed 's/^\(.\{64\}\)  \(.*\)$/\2 \1/' "$work/SHA256SUMS" | sort >"$work/listed"
        return 0
    fi
    issue sums-form "SHA256SUMS ${said:-holds a NUL}"
    return 1
}

# shellcheck disable=SC2016 # an awk program
sums_program='
    function bad(why) { if (!wrong) print why; wrong = 1; exit 1 }
    {
        path = substr($0, 67)
        if (NR > most) bad("has more than " most " lines")
        if (substr($0, 1, 66) !~ /^[0-9a-f]+  $/ || length(path) > 100 || path !~ /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/) bad("line " NR " is not a sum and a path")
        if (path ~ /^SHA256SUMS(\.sig|\.pub)?$/) bad("line " NR " lists " path ", which no sum can hold")
        if (("x" before) >= ("x" path)) bad("line " NR " is out of order, or twice")
        before = path
        lower = tolower(path)
        if (lower in files || lower in folders && folders[lower] == "") bad("lists names that are one on some disks: " path)
        files[lower] = path
        all[NR] = path
        if (path == "manifest.json") manifest = 1
    }
    END {
        if (wrong) exit 1
        if (!manifest) bad("does not list manifest.json")
        for (i = 1; i <= NR; i++) {
            parts = split(all[i], part, "/")
            folder = ""
            for (k = 1; k < parts; k++) {
                folder = folder (k > 1 ? "/" : "") part[k]
                lower = tolower(folder)
                if (lower in files || (lower in spelled && spelled[lower] != folder)) bad("lists names that are one on some disks: " all[i])
                spelled[lower] = folder
            }
        }
    }'

sums_compare() {
    if [ -z "$bundle" ]; then
        (cd "$here" && sha256sum -c "$work/SHA256SUMS" 2>/dev/null) | grep -v ': OK$' >"$work/different" || :
        cut -d' ' -f1 "$work/listed" >"$work/listed.paths"
        while read -r path; do
            is_there "$path" || issue missing-file "$path is missing"
        done <"$work/listed.paths"
        while read -r line; do
            path=${line%%: *}
            ! is_there "$path" || issue digest "$path is not the file that was listed"
        done <"$work/different"
    else
        while read -r path sum; do
            if ! is_there "$path"; then
                issue missing-file "$path is missing"
            elif [ "$(bytes_of "$path" | sha256sum | cut -d' ' -f1)" != "$sum" ]; then
                issue digest "$path is not the file that was listed"
            fi
        done <"$work/listed"
    fi
}

extra_rung() {
    : >"$work/issues"
    if [ "$has_sums" = no ]; then
        row no-extra unreached "there are no sums to compare with"
        return 0
    fi
    { cut -d' ' -f1 "$work/listed"; printf 'SHA256SUMS\nSHA256SUMS.sig\nSHA256SUMS.pub\n'; } | sort >"$work/known"
    cut -d' ' -f1 "$work/files" | sort | comm -23 - "$work/known" >"$work/extra"
    awk '{ path = $1; while (sub(/\/[^\/]*$/, "", path)) print path }' "$work/listed" | sort -u | comm -13 - "$work/folders" >>"$work/extra"
    while read -r path; do issue extra-file "$path is not listed"; done <"$work/extra"
    rung no-extra "nothing else is there" || :
}

manifest_rung() {
    : >"$work/issues" && : >"$work/manifest"
    if [ "$sums_good" = no ]; then
        row manifest unreached "its bytes are not proven"
        return 0
    fi
    bytes_of manifest.json | awk "$manifest_program" >"$work/manifest" || issue manifest-form "manifest.json is not written as it must be"
    [ -s "$work/issues" ] || manifest_compare
    rung manifest "sizes and modes of $(lines "$work/manifest") files are as manifest.json gives them" || :
}

# manifest_compare: against the sums, and against what is there. $work/manifest: path, mode, size, sum; the time is apart.
manifest_compare() {
    created=$(sed -n 's/^created //p' "$work/manifest")
    grep -v '^created ' "$work/manifest" >"$work/manifest.files"
    mv "$work/manifest.files" "$work/manifest"
    awk '{ print $1, $4 }' "$work/manifest" | sort >"$work/manifest.sums"
    grep -v '^manifest\.json ' "$work/listed" | cmp -s - "$work/manifest.sums" || issue manifest-disagrees "manifest.json and SHA256SUMS list other files or digests"
    awk -v archive="${bundle:+yes}" -v created="$created" "$files_program" "$work/manifest" "$work/files" >"$work/told"
    while read -r code path rest; do issue "$code" "$path $rest"; done <"$work/told"
}

# The lines of manifest.json in the one form that it has (canonical JSON, ASCII): a file's fields, in their order.
# shellcheck disable=SC2016 # an awk program
manifest_program='
    function value(line) { sub(/^ *"[a-zA-Z0-9]+": /, "", line); sub(/,$/, "", line); gsub(/^"|"$/, "", line); return line }
    NR == 1 && $0 != "{" { exit 1 }
    /^    "created": / { created = value($0) }
    /^  "files": \[$/ { inside = 1; next }
    inside && /^  \],?$/ { inside = 0; next }
    inside && /^    \{$/ { path = mode = size = sum = ""; next }
    inside && /^      "mode": / { mode = value($0) }
    inside && /^      "path": / { path = value($0) }
    inside && /^      "sha256": / { sum = value($0) }
    inside && /^      "size": / { size = value($0) }
    inside && /^    \},?$/ {
        if (mode !~ /^0(644|755)$/ || path !~ /^[A-Za-z0-9][A-Za-z0-9._\/-]*$/ || size !~ /^[0-9]+$/ || sum !~ /^[0-9a-f]+$/ || length(sum) != 64) { bad = 1; exit 1 }
        print path, mode, size, sum
        count++
    }
    END {
        if (bad || !count || created !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z$/) exit 1
        # Days since the Epoch, by the civil calendar counted from 1 March.
        y = substr(created, 1, 4) + 0; m = substr(created, 6, 2) + 0; d = substr(created, 9, 2) + 0
        if (m <= 2) { y--; m += 12 }
        days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + d - 1 - 719468
        printf "created %.0f\n", days * 86400 + substr(created, 12, 2) * 3600 + substr(created, 15, 2) * 60 + substr(created, 18, 2)
    }'

# In an archive, exactly the mode and the release's time. In a folder a umask may have taken bits away, but none may have
# come, its owner can still read it, and a script can still be run by its owner.
# shellcheck disable=SC2016 # an awk program
files_program='
    function bits(text,   v, k) { v = 0; for (k = 1; k <= length(text); k++) v = v * 8 + substr(text, k, 1); return v }
    function has(v, bit) { return int(v / bit) % 2 }
    function fits(mode, wanted, least,   bit) {
        for (bit = 1; bit <= 2048; bit *= 2) if (has(mode, bit) && !has(wanted, bit) || has(least, bit) && !has(mode, bit)) return 0
        return 1
    }
    NR == FNR { mode[$1] = $2; size[$1] = $3; next }
    # What the sums do not list was refused already.
    !($1 in mode) && $1 !~ /^(manifest\.json|SHA256SUMS|SHA256SUMS\.sig|SHA256SUMS\.pub)$/ { next }
    {
        wanted = bits($1 in mode ? mode[$1] : "0644")
        if ($1 in size && size[$1] != $3) print "manifest-disagrees", $1, "has another size in manifest.json"
        good = archive ? bits($2) == wanted : fits(bits($2), wanted, wanted == bits("0755") ? bits("0500") : bits("0400"))
        if (!good) print "mode", $1, "has mode " $2 ", not " ($1 in mode ? mode[$1] : "0644")
        if (archive && $4 != created) print "time", $1, "has another time than the release"
    }'

# --- what is said --------------------------------------------------------------------------------------------------

issue() { # CODE MESSAGE
    printf 'verify/%s: %s\n' "$1" "$2" >>"$work/issues"
}

# rung NAME PROVED: proven, or every issue of it.
rung() {
    if [ ! -s "$work/issues" ]; then
        row "$1" proven "$2"
        return 0
    fi
    refused=yes
    while IFS= read -r line; do row "$1" refused "$line"; done <"$work/issues"
    return 1
}

row() { # NAME STATUS SAYS
    [ "$quiet" = yes ] && [ "$2" != refused ] || printf '%-9s  %-9s  %s\n' "$1" "$2" "$3"
}

verdict() {
    if [ "$refused" = yes ]; then
        printf 'REFUSED: do not use this bundle\n'
        exit 1
    elif [ -z "$signed_by" ]; then
        printf 'WHOLE, but nobody knows who made it: the signature was not checked\n'
    else
        printf 'GOOD: everything in it was signed by %s\n' "$signed_by"
    fi
    exit 0
}

lines() {
    wc -l <"$1" | tr -d ' '
}

wrong_usage() {
    printf 'verify.sh: %s\n(verify.sh --help tells how)\n' "$1" >&2
    exit 2
}

stop() {
    printf 'verify.sh: %s\n' "$1" >&2
    exit 3
}

main "$@"
