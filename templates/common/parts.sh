#!/bin/sh
# shellcheck disable=SC2015,SC2086,SC2317 # "a && b || c": c if either fails; lists are split at blanks on purpose (set -f)
# Proves the parts of a bundle, each alone, and puts what is in them into this folder, where its small files lie already.
#
# usage: parts.sh --trust KEY|POLICY|FINGERPRINT|none --parts FILE|FOLDER... [--check] [--into FOLDER] [--quiet] [--help]
#
#   --trust KEY      as in verify.sh: the signer's public key, the trust policy, or the fingerprint of either, got by another channel
#   --parts FOLDER   where parts lie, or one part; may be repeated. With one drive, call it once for each medium.
#   --check          prove them only, and write nothing
#   --into FOLDER    the folder that the bundle's small files were unpacked into; the one of this script when left out
#   --quiet          say nothing but what is refused or missing
#
# Exit status: 0 the bundle is whole in its folder (with --check: these parts are good), 1 a part is bad or still missing,
# 2 usage, 3 a tool is missing, or the disk is full or fails.
#
# A part is the small files, part.txt, and a stretch of the bundle's tar (part.bin) that begins and ends where a line of
# evidence/pieces.txt does; docs/bundle-format.md section 9. Small files are judged by verify.sh.
set -efu
umask 077
LC_ALL=C
export LC_ALL
unset CDPATH ENV BASH_ENV POSIXLY_CORRECT TAR_OPTIONS GREP_OPTIONS
IFS=' 	
'
newline='
'

main() {
    trust='' given='' check=no into='' quiet=no work='' ended=no bad=no found='' by_name='' seen=no proven_head='' bundle_name='' prepared='' taken='' split='' numbers=' '
    trap 'at_end' EXIT
    trap 'stop "stopped; the same command goes on from here"' HUP INT TERM
    read_arguments "$@"
    need_tools
    work=$(mktemp -d) || stop "no temporary folder can be made"
    list_parts
    IFS=$newline
    for part in $found; do
        IFS=" 	$newline"
        one_part
    done
    IFS=" 	$newline"
    [ $seen = yes ] || { tell "REFUSED: there is no part of a bundle"; leave 1; }
    [ $bad = no ] || { tell "REFUSED: the parts that are named above"; leave 1; }
    [ $check = no ] || { say "GOOD: these parts are what was signed"; leave 0; }
    whole
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --trust | --parts | --into)
            [ $# -ge 2 ] && [ -n "$2" ] || wrong_usage "$1 needs a word after it"
            case $1 in
            --trust) trust=$2 ;;
            --parts) given="$given$2$newline" ;;
            --into) into=$2 ;;
            esac
            shift 2
            ;;
        --check) check=yes && shift ;;
        --quiet) quiet=yes && shift ;;
        --help | -h)
            sed -n '3,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"
            leave 0
            ;;
        *) wrong_usage "there is no option $1" ;;
        esac
    done
    [ -n "$trust" ] || wrong_usage "nobody said whose signature is trusted: --trust"
    [ -n "$given" ] || wrong_usage "where are the parts? --parts"
    here=$(cd "$(dirname -- "$0")" && pwd -P)
    into=$(cd -- "${into:-$here}" && pwd -P) || stop "$into can't be read"
    [ -f "$here/verify.sh" ] || stop "there is no verify.sh beside this script"
}

need_tools() {
    missing=''
    for tool in awk cat cmp dd df dirname find head mkdir mktemp od rm sed sha256sum sort stat tr wc; do
        command -v $tool >/dev/null 2>&1 || missing="$missing $tool"
    done
    [ -z "$missing" ] || stop "these tools are missing:$missing"
}

# list_parts: sets found, one line a file, and by_name, those of them that were not found in a folder. A name with a line's end
# in it is no part's.
list_parts() {
    IFS=$newline
    for each in $given; do
        IFS=" 	$newline"
        case $each in -*) each=./$each ;; esac
        if [ -d "$each" ]; then
            found="$found$(find "$each/." ! -name . -prune -type f -name '[!.]*.tar' | sort)$newline"
        elif [ -f "$each" ] && [ -r "$each" ]; then
            found="$found$each$newline" by_name="$by_name$newline$each$newline"
        else
            stop "$each can't be read"
        fi
    done
    IFS=" 	$newline"
}

# one_part: proves $part and, unless --check, takes what is in it.
one_part() {
    name=${part##*/} issues=0
    part_size=$(stat -L -c %s -- "$part") || stop "$part can't be read"
    walk
    if [ -z "$head" ]; then
        # In a folder, what is not called as a part may be anything.
        called=no
        case $name in *.part-*-of-*.tar | *.parity-of-*.tar) called=yes ;; esac
        case $by_name in *"$newline$part$newline"*) called=yes ;; esac
        [ $called = no ] || { seen=yes && refuse form "it is no part of a bundle"; }
        return 0
    fi
    seen=yes
    head_check && description_check && goes_with_others || return 0
    if [ "$number" = parity ]; then
        parity_check
        return 0
    fi
    frame_check
    stretch_check
    [ $issues = 0 ] || return 0
    say "good: $name, part $number of $count"
    [ $check = yes ] || note
}

# walk: from header to header up to part.txt; sets head (bytes of the small files), mtime, and small: lines of path and
# size. Nothing of it is believed before verify.sh has judged the same bytes. One od and one awk go through thousands of files;
# a long one is passed over, and they begin anew behind it.
walk() {
    head='' small='' mtime='' steps=0 next=0
    while :; do
        block=$next
        said=$(bytes_at $((block * 512)) 16777216 2>/dev/null | od -An -v -tu1 2>/dev/null |
            awk -v next_block="$block" -v part_size="$part_size" -v count="$steps" -v time="$mtime" "$walk_program")
        case $said in *"$newline"*) small="$small${said#*"$newline"}$newline" ;; esac
        set -- ${said%%"$newline"*}
        case ${1:-} in
        part) head=$(($2 * 512)) mtime=${4:-} ;;
        go) next=$2 steps=$3 mtime=${4:-} ;;
        esac
        [ "${1:-}" = go ] && [ "$next" -gt "$block" ] || return 0
    done
}

# The first line tells how it ended and where, the others are lines of $small. Sixteen bytes a line, as every od writes them;
# most bytes are zeros.
# shellcheck disable=SC2016 # an awk program
walk_program='
    BEGIN { if ((next_block + 1) * 512 > part_size) finish("none") }
    NR - 1 < at_line { next }
    { line = NR - 1 - at_line }
    line == 0 { split("", b) }
    line < 10 && /[1-9]/ { for (i = 1; i <= NF; i++) b[line * 16 + i - 1] = $i + 0 }
    line == 9 { header() }
    END {
        printf "%s %.0f %d %s\n", how == "" ? "go" : how, next_block, count, time
        for (i = 1; i <= told; i++) print entry[i]
    }
    function finish(word) { how = word; exit }
    function octal(at, len,   v, k) { v = 0; for (k = at; k < at + len; k++) { if (b[k] < 48 || b[k] > 55) return -1; v = v * 8 + b[k] - 48 } return v }
    function header(   path, size, when, k) {
        for (k = 0; k < 100 && b[k]; k++) path = path sprintf("%c", b[k])
        size = octal(124, 11); when = octal(136, 11)
        if (path !~ /^[A-Za-z0-9._\/-]+$/ || size < 0 || size >= 134217728 || when < 0) { finish("none"); return }
        if (path == "part.txt") { finish("part"); return }
        if (++count > 10000) { finish("none"); return }
        entry[++told] = sprintf("%s %.0f", path, size)
        time = sprintf("%.0f", when)
        next_block += 1 + int((size + 511) / 512)
        at_line += 32 * (1 + int((size + 511) / 512))
        if ((next_block + 1) * 512 > part_size) { finish("none"); return }
        if (size > 65536) finish("go")
    }'

# bytes_at OFFSET LENGTH: of the part; offsets are whole blocks.
bytes_at() {
    { dd bs=512 skip=$(($1 / 512)) count=0 2>/dev/null && head -c "$2"; } <"$part"
}

# head_check: the small files, by verify.sh, once for all parts that begin alike. What was judged is kept.
head_check() {
    digest=$(bytes_at 0 "$head" | sha256sum)
    if [ -n "$proven_head" ] && [ "${digest%% *}" != "$proven_head" ]; then
        bytes_at 0 "$head" >"$work/other.tar" && end_of_tar >>"$work/other.tar" || stop "no room in ${TMPDIR:-/tmp}"
        if sh "$here/verify.sh" --small-files --bundle "$work/other.tar" --trust "$trust" --quiet >/dev/null 2>&1; then
            refuse other-bundle "it is a part of another bundle than the ones before"
        else
            refuse small-files "its small files are not those that were signed"
        fi
        return 1
    fi
    [ -z "$proven_head" ] || return 0
    bytes_at 0 "$head" >"$work/head.tar" && end_of_tar >>"$work/head.tar" || stop "no room in ${TMPDIR:-/tmp}"
    status=0
    sh "$here/verify.sh" --small-files --bundle "$work/head.tar" --trust "$trust" --quiet >"$work/said" 2>&1 || status=$?
    case $status in
    0) ;;
    1)
        sed 's/^/    /' "$work/said"
        refuse small-files "its small files are not those that were signed"
        return 1
        ;;
    *)
        cat "$work/said" >&2
        leave $status
        ;;
    esac
    for each in manifest.json evidence/pieces.txt SHA256SUMS; do
        take_small $each || { refuse no-pieces "the bundle has no $each, by which a part is proven"; return 1; }
    done
    geometry_of || { refuse no-pieces "evidence/pieces.txt does not fit the files"; return 1; }
    name_bundle
    digest=$(head -c "$head" "$work/head.tar" | sha256sum)
    proven_head=${digest%% *}
    [ $check = yes ] || same_bundle
}

end_of_tar() {
    head -c 1024 /dev/zero
}

# take_small PATH: a small file out of what was judged, into $work.
take_small() {
    size=$(printf '%s' "$small" | awk -v path="$1" '$1 == path { printf "%.0f %.0f", at + 512, $2 } { at += 512 + int(($2 + 511) / 512) * 512 }')
    [ -n "$size" ] || return 1
    at=${size% *} size=${size#* }
    { dd bs=512 skip=$((at / 512)) count=0 2>/dev/null && head -c "$size"; } <"$work/head.tar" >"$work/${1##*/}"
    [ "$(wc -c <"$work/${1##*/}")" -eq "$size" ] || stop "no room in ${TMPDIR:-/tmp}"
}

# geometry_of: sets geometry, what lies where in the bundle's tar behind the small files, in order:
#   header OFFSET PATH SIZE | piece OFFSET LENGTH SHA256 PATH START END | zeros OFFSET LENGTH
# and bundle_size. The pieces must go through each big file from the first byte to the last, in whole blocks.
geometry_of() {
    geometry=$({ printf '%s' "$small"; echo "= manifest"; cat "$work/manifest.json"; echo "= pieces"; cat "$work/pieces.txt"; } | awk -v head="$head" '
        $1 == "=" { part = $2; next }
        !part { small[$1] = 1; next }
        part == "manifest" && /^      "path": "/ { path = $2; gsub(/[",]/, "", path) }
        part == "manifest" && /^      "size": / { if (!(path in small)) { big[++n] = path; size[path] = $2 + 0 } }
        part == "pieces" {
            if ($0 !~ /^[0-9a-f]+  [A-Za-z0-9._\/-]+ [0-9]+ [0-9]+$/ || length($1) != 64) bad = 1
            sum[++m] = $1; of[m] = $2; from[m] = $3 + 0; to[m] = $4 + 0
        }
        END {
            at = head; k = 1
            for (i = 1; i <= n && !bad; i++) {
                printf "header %.0f %s %.0f\n", at, big[i], size[big[i]]
                at += 512
                for (next_byte = 0; next_byte < size[big[i]]; k++) {
                    if (k > m || of[k] != big[i] || from[k] != next_byte || to[k] <= next_byte || to[k] > size[big[i]] || (to[k] < size[big[i]] && to[k] % 512)) { bad = 1; break }
                    printf "piece %.0f %.0f %s %s %.0f %.0f\n", at, to[k] - from[k], sum[k], of[k], from[k], to[k]
                    at += to[k] - from[k]; next_byte = to[k]
                }
                rest = (512 - size[big[i]] % 512) % 512
                if (rest) printf "zeros %.0f %d\n", at, rest
                at += rest
            }
            if (bad || k != m + 1 || !n) { print "wrong"; exit }
            printf "zeros %.0f 1024\nsize %.0f\n", at, at + 1024
        }')
    case $geometry in *wrong*) return 1 ;; esac
    bundle_size=${geometry##*size }
    geometry=${geometry%"$newline"*}
}

# name_bundle: sets bundle_name as the manifest gives it, in which a character that such a name can't have is escaped or stands
# for itself.
name_bundle() {
    bundle_name=$(awk '
        function text(line) { sub(/^[^:]*: "/, "", line); sub(/",?$/, "", line); return line }
        function plain(line) {
            gsub(/\\\\/, " ", line); gsub(/\\u[0-9a-f][0-9a-f][0-9a-f][0-9a-f]/, " ", line); gsub(/\\./, " ", line)
            gsub(/[^0-9A-Za-z._-]+/, "_", line); return line
        }
        /^  "[a-z]*": [{]$/ { of = $1 }
        of == "\"cloudlet\":" && /^    "name": / { cloudlet = plain(text($0)) }
        of == "\"cloudlet\":" && /^    "organization": / { organization = plain(text($0)) }
        of == "\"release\":" && /^    "name": / { release = text($0) }
        END {
            name = substr(cloudlet "-" organization "-" release ".cloudlet.tar", 1, 187)
            sub(/\.cloudlet\.tar$/, "", name)
            print name ".cloudlet.tar"
        }' "$work/manifest.json")
}

# same_bundle: the parts must be of the bundle whose small files lie in the folder.
same_bundle() {
    cmp -s "$work/SHA256SUMS" "$into/SHA256SUMS" || {
        refuse other-bundle "it is a part of another bundle than the one that was unpacked into $into"
        proven_head=''
        return 1
    }
}

# description_check: part.txt says what follows from the signed files and the size that a part may have; sets number, count,
# start, end, limit, stretch (where part.bin begins).
description_check() {
    bytes_at $((head + 512)) 512 >"$work/part.txt"
    number='' count='' limit='' start='' end='' stretch=$((head + 1536)) parity_sum=''
    # shellcheck disable=SC2046 # words of one line each
    set -- $(awk 'NR > 9 { exit } { print NF == 2 && $2 ~ /^[A-Za-z0-9._\/-]+$/ ? $2 : "?" }' "$work/part.txt")
    [ $# -ge 8 ] || { refuse form "its part.txt is not written as it must be"; return 1; }
    limit=$4 number=$5 count=$6 start=$7 end=$8
    set -- "$limit" "$count" "$start" "$end" "$number" "${9:-}"
    [ "$number" != parity ] || { parity_sum=$6; set -- "$limit" "$count" "$start" "$end"; }
    # One text for each number: a zero in front would also be taken for the mark of an octal one.
    for each in "$1" "$2" "$3" "$4" "${5:-1}"; do
        case $each in 0?* | *[!0-9]* | ????????????????*) refuse form "its part.txt is not written as it must be"; return 1 ;; esac
    done
    cut=$(cuts_of)
    case $cut in
    "$number $count $start $end") ;;
    *) refuse description "it says that it is part $number of $count, bytes $start to $end, and by the signed files it is not"; return 1 ;;
    esac
    {
        printf 'format cloudlet-bundle-part/v1\nbundle %s\nsize %s\nlimit %s\npart %s\nparts %s\nstart %s\nend %s\n' \
            "$bundle_name" "$bundle_size" "$limit" "$number" "$count" "$start" "$end"
        [ "$number" != parity ] || printf 'sha256 %s\n' "$parity_sum"
    } >"$work/wanted"
    { cat "$work/wanted"; awk -v n=$((511 - $(wc -c <"$work/wanted"))) 'BEGIN { printf "%" n "s\n", "" }'; } >"$work/wanted.txt"
    cmp -s "$work/part.txt" "$work/wanted.txt" || { refuse description "its part.txt says something that is not so"; return 1; }
    wanted=$((stretch + end - start + 1024))
    [ "$part_size" -eq $wanted ] || { refuse size "it has $part_size bytes, and $wanted when it is whole"; return 1; }
}

# goes_with_others: the parts of one call are of one way of splitting, each once. Copies on two media are each called for alone.
goes_with_others() {
    [ "${split:=$limit}" = "$limit" ] || { refuse other-split "the bundle was split in another way for it than for the ones before"; return 1; }
    case $numbers in *" $number "*) refuse twice "part $number was there before"; return 1 ;; esac
    numbers="$numbers$number "
}

# cuts_of: "NUMBER COUNT START END" of this part, by the size that a part may have: each is as full as that allows.
cuts_of() {
    printf '%s\n' "$geometry" | awk -v room=$((limit - head - 2560)) -v number="$number" -v head="$head" -v size="$bundle_size" '
        # An atom is a piece with the headers before it and the zeros behind it.
        function close_atom(   last) {
            if (!open) return
            if (at - first > room) bad = 1
            if (!n || at - begin[n] > room) begin[++n] = first
            finish[n] = at; open = 0
        }
        $1 == "header" { close_atom(); if (!waiting) { first = $2; waiting = 1 } at = $2 + 512 }
        $1 == "piece" { close_atom(); if (!waiting) first = $2; waiting = 0; open = 1; at = $2 + $3 }
        $1 == "zeros" { at = $2 + $3 }
        END {
            close_atom()
            if (bad || n > 1000) exit
            finish[n] = size
            if (number == "parity") { for (i = 1; i <= n; i++) if (finish[i] - begin[i] > most) most = finish[i] - begin[i]; printf "parity %d 0 %.0f\n", n, most }
            else if (number >= 1 && number <= n) printf "%s %d %.0f %.0f\n", number, n, begin[number + 0], finish[number + 0]
        }'
}

# frame_check: the headers of part.txt and part.bin, and the last blocks.
frame_check() {
    header_check "$head" part.txt 512
    header_check $((head + 1024)) part.bin $((end - start))
    zeros_check $((stretch + end - start)) 1024
}

# header_check OFFSET PATH SIZE: the one header that this entry can have (POSIX.1-2017 pax, ustar), byte for byte.
header_check() {
    [ "$(bytes_at "$1" 512 | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) printf "%d ", $i }')" = "$(awk -v path="$2" -v size="$3" -v mtime="$mtime" '
        function put(at, len, value,   k) { for (k = at + len - 1; k >= at; k--) { w[k] = 48 + value % 8; value = int(value / 8) } w[at + len] = 32 }
        BEGIN {
            chars = "-./0123456789"; upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"; lower = "abcdefghijklmnopqrstuvwxyz"
            for (i = 1; i <= length(path); i++) {
                c = substr(path, i, 1)
                if (k = index(chars, c)) w[i - 1] = 44 + k
                else if (k = index(upper, c)) w[i - 1] = 64 + k
                else if (k = index(lower, c)) w[i - 1] = 96 + k
                else w[i - 1] = 95
            }
            put(100, 6, 420); put(108, 6, 0); put(116, 6, 0); put(136, 11, mtime); put(329, 6, 0); put(337, 6, 0)
            if (size <= 8589934591) put(124, 11, size)
            else { w[124] = 128; for (k = 135; k > 124; k--) { w[k] = size % 256; size = int(size / 256) } }
            w[156] = 48
            n = split("117 115 116 97 114 0 48 48", u, " ")
            for (i = 1; i <= n; i++) w[256 + i] = u[i] + 0
            for (i = 0; i < 512; i++) sum += (i >= 148 && i < 156) ? 32 : w[i]
            put(148, 6, sum)
            for (i = 0; i < 512; i++) printf "%d ", w[i]
        }')" ] || refuse bytes "the header of $2 is not the one it must be"
}

# zeros_check OFFSET LENGTH
zeros_check() {
    [ "$(bytes_at "$1" "$2" | tr -d '\000' | wc -c | tr -d ' ')" = 0 ] || refuse bytes "there are bytes where zeros must be"
}

# prepare NEED: a disk that would fill is said before the first byte of a part, with the figures. What a run before has written
# needs no room any more.
prepare() {
    free=$(df -Pk "$into" | awk 'NR == 2 { printf "%.0f", $4 * 1024 }')
    [ "$free" -ge "$1" ] || stop "$into has $free bytes free, part $number needs $1"
    prepared=$part
}

# stretch_check: every byte of part.bin, against the signed pieces and what must stand around them. Unless --check, each
# piece is written into its file first, and what was written is what is compared.
stretch_check() {
    IFS=$newline
    for each in $geometry; do
        IFS=" 	$newline"
        set -- $each
        [ "$2" -ge "$start" ] && [ "$2" -lt "$end" ] || continue
        at=$((stretch + $2 - start))
        case $1 in
        header)
            header_check $at "$3" "$4"
            [ $check = yes ] || [ $issues != 0 ] || cut_off "$into/$3" "$4"
            ;;
        zeros) zeros_check $at "$3" ;;
        piece) piece_check $at "$3" "$4" "$5" "$6" "$7" ;;
        esac
    done
    IFS=" 	$newline"
}

# piece_check OFFSET LENGTH SHA256 PATH START END
piece_check() {
    if [ $check = yes ]; then
        sum=$(bytes_at "$1" "$2" | sha256sum)
    else
        target=$into/$4
        [ ! -h "$target" ] && [ ! -h "${target%/*}" ] || stop "$target is a link"
        mkdir -p "${target%/*}"
        # Pieces begin at whole blocks. What a run before has written is compared first: reading costs less than a medium.
        sum=''
        [ ! -f "$target" ] || sum=$(written "$target" "$5" "$2" | sha256sum)
        if [ "${sum%% *}" != "$3" ]; then
            [ "$prepared" = "$part" ] || prepare $((stretch + end - start - $1))
            { dd if=/dev/null bs=512 seek=$(($5 / 512)) count=0 conv=notrunc 2>/dev/null && bytes_at "$1" "$2"; } 1<>"$target" || stop "$target can't be written, or $name can't be read"
            sum=$(written "$target" "$5" "$2" | sha256sum)
        fi
    fi
    [ "${sum%% *}" = "$3" ] || refuse bytes "bytes $5 to $6 of $4 are not what was signed"
}

# cut_off FILE SIZE: what lies there from before and is longer. dd cuts where it is told to begin.
cut_off() {
    [ ! -f "$1" ] || [ -h "$1" ] || [ -h "${1%/*}" ] || [ "$(stat -c %s -- "$1")" -le "$2" ] ||
        dd if=/dev/null of="$1" bs=1 seek="$2" count=0 2>/dev/null || stop "$1 can't be written"
}

# written FILE START LENGTH
written() {
    { dd bs=512 skip=$(($2 / 512)) count=0 2>/dev/null && head -c "$3"; } <"$1"
}

# parity_check: nobody signed it, so this finds accidents alone.
parity_check() {
    frame_check
    sum=$(bytes_at "$stretch" $((end - start)) | sha256sum)
    [ "${sum%% *}" = "$parity_sum" ] || refuse bytes "the parity is damaged"
    [ $issues != 0 ] || say "good: $name, the parity of $count parts; cloudlet-bundle join makes a lost part of it"
}

# note: which parts are in the folder; beside it, for nothing else may lie in it. It only tells what is still missing: in the
# end every byte is looked at again.
note() {
    [ ! -e "$into.parts" ] || taken=$(cat "$into.parts")
    case $taken in "$proven_head $limit $count:"*) ;; *) taken="$proven_head $limit $count:" ;; esac
    case "${taken#*:} " in *" $number "*) ;; *) taken="$taken $number" ;; esac
    printf '%s\n' "$taken" >"$into.parts"
}

# whole: all parts have been here; verify.sh says whether the folder is what was signed.
whole() {
    [ -n "$taken" ] || stop "there is no part with a stretch of the bundle"
    all=${taken%%:*} all=${all##* } lacking='' each=1
    while [ $each -le "$all" ]; do
        case "${taken#*:} " in *" $each "*) ;; *) lacking="$lacking $each" ;; esac
        each=$((each + 1))
    done
    [ -z "$lacking" ] || { tell "missing: part$lacking of $all; call this again with those"; leave 1; }
    status=0
    sh "$here/verify.sh" --bundle "$into" --trust "$trust" --quiet || status=$?
    [ $status = 0 ] || leave $status
    rm -f "$into.parts"
    say "GOOD: the bundle is whole in $into"
    leave 0
}

# --- what is said --------------------------------------------------------------------------------------------------

refuse() { # CODE MESSAGE
    bad=yes issues=$((issues + 1))
    printf 'refused  part/%s: %s: %s\n' "$1" "$name" "$2"
}

say() {
    [ $quiet = yes ] || printf '%s\n' "$1"
}

tell() {
    printf '%s\n' "$1"
}

wrong_usage() {
    printf 'parts.sh: %s\n(parts.sh --help tells how)\n' "$1" >&2
    leave 2
}

stop() {
    printf 'parts.sh: %s\n' "$1" >&2
    leave 3
}

# leave STATUS: the one way out that is meant.
leave() {
    ended=yes
    exit "$1"
}

at_end() {
    trap - EXIT
    [ -z "$work" ] || rm -rf "$work"
    [ $ended = yes ] || {
        printf 'parts.sh: something failed on this machine, so nothing is proven\n' >&2
        exit 3
    }
}

main "$@"
