#!/bin/sh
# shellcheck disable=SC2015,SC2086,SC2317 # "a && b || c": c if either fails; lists are split at blanks on purpose (set -f)
# Verifies this bundle with tools that are on every box: is it what its signer made, whole, and nothing more?
#
# usage: verify.sh [--trust KEY|POLICY|FINGERPRINT|none] [--bundle FILE|FOLDER] [--time TIME] [--quiet] [--help]
#
#   --trust KEY          the signer's public key, a PEM file that you got by another channel than the bundle
#   --trust POLICY       the signers' trust policy, a file that you got in the same way
#   --trust SHA256:...   the fingerprint of either, 64 hexadecimal digits, got in the same way
#   --trust none         leave the signature unchecked: nobody then knows who made the bundle
#   --bundle FILE        verify a bundle's tar instead, before anything is unpacked; or another unpacked bundle's folder
#   --time TIME          judge whether a trust policy has ended by this time (2026-11-24T00:00:00Z) instead of the clock
#   --quiet              say nothing but what is refused or warned of
#   --small-files        the big files are not there, as at the beginning of a part: parts.sh judges them
#
# Exit status: 0 good, 1 refused, 2 usage, 3 a tool is missing or the disk fails.
# `cloudlet-bundle verify` climbs the same rungs and judges alike; docs/bundle-format.md says what each one asks.
#
# Lists are kept in variables, so that a full disk can't cut one short. Whatever fails unforeseen ends with status 3.
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
    trust='' bundle='' time='' quiet=no small=no refused=no signed_by='' policy_end='' work='' ended=no
    trap 'at_end' EXIT
    trap 'exit 3' HUP INT TERM
    read_arguments "$@"
    need_tools
    find_bundle
    work=$(mktemp -d) || stop "no temporary folder can be made"
    read_trust
    form_rung
    if [ "$refused" = yes ]; then
        for each in signature sums no-extra manifest; do row $each unreached "the form was refused"; done
    else
        signature_rung
        sums_rung
        extra_rung
        manifest_rung
        [ -z "$policy_end" ] || validity_rung
    fi
    verdict
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --trust | --bundle | --time)
            [ $# -ge 2 ] || wrong_usage "$1 needs a word after it"
            [ -n "$2" ] || wrong_usage "$1 needs a word that is not empty"
            case $1 in --trust) trust=$2 ;; --bundle) bundle=$2 ;; *) time=$2 ;; esac
            shift 2
            ;;
        --trust=?*) trust=${1#*=} && shift ;;
        --bundle=?*) bundle=${1#*=} && shift ;;
        --time=?*) time=${1#*=} && shift ;;
        --quiet) quiet=yes && shift ;;
        --small-files) small=yes && shift ;;
        --help | -h)
            sed -n '3,/^# Lists/{/^# Lists/d;s/^# \{0,1\}//;p;}' "$0"
            leave 0
            ;;
        *) wrong_usage "there is no option $1" ;;
        esac
    done
}

need_tools() {
    missing=''
    for tool in awk cat cmp date dd dirname find grep head mktemp od rm sed sha256sum stat tail tr wc; do
        command -v $tool >/dev/null 2>&1 || missing="$missing $tool"
    done
    [ "$trust" = none ] || command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
    [ -z "$missing" ] || stop "these tools are missing:$missing"
    [ -z "$time" ] || awk -v text="$time" 'BEGIN { exit epoch(text) < 0 }'"$time_program" || wrong_usage "--time is like 2026-11-24T00:00:00Z"
}

# find_bundle: sets folder, or archive and its size. Both are absolute.
find_bundle() {
    folder='' archive=''
    if [ -z "$bundle" ]; then
        folder=$(cd "$(dirname -- "$0")" && pwd -P)
    elif [ -d "$bundle" ]; then
        folder=$(cd -- "$bundle" && pwd -P) || stop "$bundle can't be read"
    elif [ -f "$bundle" ] && [ -r "$bundle" ]; then
        case $bundle in /*) archive=$bundle ;; *) archive=$PWD/$bundle ;; esac
        archive_size=$(stat -L -c %s "$archive")
    else
        stop "$bundle can't be read"
    fi
}

# read_trust: the fingerprint that is trusted; the file of a key or of a policy gives its own.
read_trust() {
    case $trust in
    '' | none) return 0 ;;
    [Ss][Hh][Aa]256:*)
        trust=SHA256:$(printf '%s' "${trust#*:}" | tr 'ABCDEF' 'abcdef')
        case ${trust#*:} in *[!0-9a-f]*) wrong_usage "a fingerprint is SHA256: and 64 hexadecimal digits" ;; esac
        [ ${#trust} = 71 ] || wrong_usage "a fingerprint is SHA256: and 64 hexadecimal digits"
        ;;
    *)
        [ -f "$trust" ] && [ -r "$trust" ] || stop "the key $trust can't be read"
        case $trust in /*) ;; *) trust=$PWD/$trust ;; esac
        key_of "$trust"
        if [ -n "$key" ]; then
            trust=$key
        else
            case $(policy_of "$trust") in wrong*) wrong_usage "$trust holds no ECDSA P-256 public key in PEM, and no trust policy" ;; esac
            trust=$(digest_of "$trust")
        fi
        ;;
    esac
}

# key_of PEM: sets key to the fingerprint of this public key, or to nothing if it is no key on P-256. The DER of such a key
# always begins with these bytes: RFC 5480. The key must be what the file begins with: openssl would find one in the midst
# of anything, such as the bundle itself.
key_of() {
    key=''
    [ "$(head -c 26 "$1" | tr '\000' 0)" = '-----BEGIN PUBLIC KEY-----' ] || return 0
    der=$(openssl pkey -pubin -in "$1" -outform DER 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
    case $der in 3059301306072a8648ce3d020106082a8648ce3d03010703420004*) ;; *) return 0 ;; esac
    [ ${#der} = 182 ] || return 0
    key=$(openssl pkey -pubin -in "$1" -outform DER 2>/dev/null | sha256sum)
    key=SHA256:${key%% *}
}

# --- form: the files, wherever they are ----------------------------------------------------------------------------

# form_rung: sets files, one line a file: path, mode (octal), size, time or -, where its bytes begin in the tar or -; and
# folders, one line each.
form_rung() {
    begin form
    files='' folders='' count=0
    if [ -n "$archive" ]; then
        archive_form
        proved="$count entries, each a regular file in its place, and nothing beside them"
    else
        folder_form
        proved="$count regular files, no links or devices"
    fi
    [ "$refused" = yes ] || size_limits
    end "$proved"
}

# size_limits: of the files that verifying reads as a whole.
size_limits() {
    said=$(printf '%s\n' "$files" | awk '
        BEGIN { most["manifest.json"] = 10485760; most["SHA256SUMS"] = 1670000; most["SHA256SUMS.sig"] = 72; most["SHA256SUMS.pub"] = 178; most["SHA256SUMS.signatures"] = 8192 }
        $1 ~ /^trust\// { most[$1] = 8192 }
        $1 in most && $3 > most[$1] { print $1, most[$1] }')
    IFS=$newline
    for each in $said; do issue too-big "${each% *} has more than ${each#* } bytes"; done
    IFS=" 	$newline"
}

# folder_form: names first, because only then can a list be read line by line. What has a bad name is not looked into.
folder_form() {
    cd "$folder"
    bad=$(find . ! -name . \( -name '*[!A-Za-z0-9._-]*' -o ! -name '[A-Za-z0-9]*' \) -prune -print | head -n 1)
    [ -z "$bad" ] || issue path "a name is not made of parts that begin with a letter or digit and hold letters, digits, '.', '_', '-'"
    bad=$(find . ! -name . \( -name '*[!A-Za-z0-9._-]*' -o ! -name '[A-Za-z0-9]*' \) -prune -o ! -type f ! -type d -print)
    for path in $bad; do issue not-a-file "${path#./} is neither a regular file nor a folder"; done
    [ "$refused" = no ] || return 0
    folders=$(find . -type d ! -name . | sed 's|^\./||')
    files=$(find . -type f -exec stat -c '%n %a %s - -' {} + | sed 's|^\./||')
    said=$(printf '%s\n' "$files" "$folders" | awk 'length($1) > 100 { print "long"; exit }')
    [ -z "$said" ] || issue path "a name is longer than 100 characters"
    count=$(lines "$files")
    [ "$count" -le 10000 ] || issue too-many "there are more than 10000 files"
}

# archive_form: from header to header; behind the first that is wrong nothing can be made out. One od and one awk go through
# thousands of headers and small files. A long file is passed over: they begin anew behind it, at block $next, with the last
# block of that file before it, if only $gap bytes of that are the file's own. place is the entry before, as the order has it.
archive_form() {
    next=0 gap=0 place=''
    while :; do
        block=$next
        said=$({ dd bs=512 skip=$((block - (gap > 0))) count=0 2>/dev/null && head -c 16777216 2>/dev/null; } <"$archive" | od -An -v -tu1 2>/dev/null |
            awk -v archive_size="$archive_size" -v next_block="$block" -v gap="$gap" -v place="$place" -v count="$count" "$headers_program")
        case $said in *"$newline"*) files="$files${files:+$newline}${said#*"$newline"}" ;; esac
        set -- ${said%%"$newline"*}
        count=${2:-0}
        case ${1:-} in
        go) next=$3 gap=$4 place=${5:-} && [ "$next" -gt "$block" ] || stop "a header can't be read" ;;
        end) archive_end $3 ;;
        early) issue archive-size "the archive ends early, after $archive_size bytes" ;;
        short) issue archive-size "the archive ends early, in $3" ;;
        padding) issue archive-padding "there are bytes between $3 and the next entry" ;;
        type) issue archive-type "an entry is not a regular file: $3" ;;
        header) issue archive-header "a header is not the one that its entry must have: $3" ;;
        path) issue path "a name is none that a bundle may hold" ;;
        order) issue archive-order "$3 stands out of its place, or twice" ;;
        many) issue too-many "there are more than 10000 entries" ;;
        *) stop "a header can't be read" ;;
        esac
        [ "${1:-}" = go ] || return 0
    done
}

# archive_end BLOCK: two blocks of zeros from there, and nothing behind them.
archive_end() {
    left=$((archive_size - $1 * 512))
    if [ $left -lt 1024 ]; then
        issue archive-size "the archive ends early, in its last block"
    elif [ $left -gt 1024 ]; then
        issue archive-size "$((left - 1024)) bytes follow the end of the archive"
    elif [ "$(dd if="$archive" bs=512 skip=$(($1 + 1)) 2>/dev/null | tr -d '\000' | wc -c | tr -d ' ')" != 0 ]; then
        issue archive-padding "the archive's last block is not zeros"
    fi
}

# The one header that an entry of a bundle can have (POSIX.1-2017 pax, ustar): decoded, written again, compared. Most bytes are
# zeros: only the others are looked at, and there must be as many as there are to be. Sixteen bytes a line, as every od writes
# them. The first line of what it says tells how it ended, the others are lines of $files.
# shellcheck disable=SC2016 # an awk program
headers_program='
    BEGIN { tail = gap > 0; at_line = 0 }
    NR == 2 && width != 16 { finish("od") }
    NR == 1 { width = NF }
    NR - 1 < at_line { next }
    { line = NR - 1 - at_line }
    # What stands behind the last bytes of a file, in its last block.
    tail {
        if (line * 16 + 16 > gap && /[1-9]/) for (i = 1; i <= NF; i++) if (line * 16 + i > gap && $i + 0) { finish("padding", substr(place, 2)); break }
        if (line == 31) { tail = 0; at_line += 32 }
        next
    }
    line == 0 { split("", b); found = 0 }
    /[1-9]/ { for (i = 1; i <= NF; i++) if ($i + 0) { b[line * 16 + i - 1] = $i + 0; where[++found] = line * 16 + i - 1 } }
    line == 31 && NF == 16 { header() }
    END {
        # What was read ends here; the archive, or the stretch of it.
        if (how == "") { if ((next_block + 1) * 512 > archive_size) how = "early"; else how = "go" }
        printf "%s %d", how, count
        if (how == "go") printf " %.0f %d %s\n", next_block, gap, place
        else if (how == "end") printf " %.0f\n", next_block
        else printf " %s\n", what
        for (i = 1; i <= told; i++) print entry[i]
    }
    function finish(word, about) { how = word; what = about; exit }
    function header(   sum, path, shown, mode, mtime, size, i, k, own) {
        if (!found) { finish("end"); return }
        sum = 256
        for (i = 1; i <= found; i++) if (where[i] < 148 || where[i] > 155) sum += b[where[i]]
        for (k = 0; k < 100 && b[k]; k++) path = path sprintf("%c", b[k])
        shown = path ~ /^[A-Za-z0-9._\/-]+$/ ? path : "?"
        if (b[156] != 48 && octal(148, 6) == sum) { finish("type", shown); return }
        mode = octal(100, 6); mtime = octal(136, 11)
        if (b[124] == 128) { size = 0; for (i = 125; i < 136; i++) size = size * 256 + b[i]; if (size <= 8589934591 || size >= 1e15) size = -1 }
        else size = octal(124, 11)
        if (path !~ /^[!-~]+$/ || mode < 0 || mode > 4095 || size < 0 || mtime < 0 || mtime > 2147483647) { finish("header", shown); return }
        split("", w); wanted = 0
        for (i = 0; i < 100 && b[i]; i++) want(i, b[i])
        put(100, 6, mode); put(108, 6, 0); put(116, 6, 0); put(136, 11, mtime); put(329, 6, 0); put(337, 6, 0)
        if (b[124] == 128) { for (i = 124; i < 136; i++) want(i, b[i]) } else put(124, 11, size)
        want(156, 48)
        for (i = 1; i <= 8; i++) want(256 + i, magic[i])
        put(148, 6, sum)
        for (i = 1; i <= found; i++) if (w[where[i]] != b[where[i]]) { finish("header", shown); return }
        if (found != wanted) { finish("header", shown); return }
        if (path !~ /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/) { finish("path"); return }
        own = (path ~ /^(blobs\/|ovf\/(payload|vm-image)\.vmdk$)/ ? "1" : "0") path
        if (place != "" && ("x" place) >= ("x" own)) { finish("order", path); return }
        if (++count > 10000) { finish("many"); return }
        entry[++told] = sprintf("%s %o %.0f %.0f %.0f", path, mode, size, mtime, (next_block + 1) * 512)
        place = own; gap = size % 512; tail = gap > 0
        next_block += 1 + int((size + 511) / 512)
        if (next_block * 512 > archive_size) { finish("short", path); return }
        if (size > 65536) { finish("go"); return }
        at_line += 32 * (1 + int(size / 512))
    }
    function octal(at, len,   v, k) { v = 0; for (k = at; k < at + len; k++) { if (b[k] < 48 || b[k] > 55) return -1; v = v * 8 + b[k] - 48 } return v }
    function want(at, value) { if (value) { w[at] = value; wanted++ } }
    function put(at, len, value,   k) { for (k = at + len - 1; k >= at; k--) { want(k, 48 + value % 8); value = int(value / 8) } want(at + len, 32) }
    BEGIN { split("117 115 116 97 114 0 48 48", magic, " "); for (i in magic) magic[i] += 0 }'

# file_of PATH: sets size and start from its line in files, or to nothing if it is not there.
file_of() {
    size='' start=''
    case $newline$files in
    *"$newline$1 "*)
        start=${newline}$files
        start=${start#*"$newline$1 "}
        set -- ${start%%"$newline"*}
        size=$2 start=$4
        ;;
    esac
}

# bytes_of PATH SIZE START: the file's content, out of the folder or out of the tar. dd without a count moves to the place
# (BusyBox's tail can't go beyond 2 GiB), and head takes up from there.
bytes_of() {
    if [ -n "$archive" ]; then
        { dd bs=512 skip=$(($3 / 512)) count=0 2>/dev/null && head -c "$2"; } <"$archive"
    else
        cat "$folder/$1"
    fi
}

# keep PATH [NAME]: its bytes in $work, all of them; from here on nobody changes them.
keep() {
    file_of "$1"
    bytes_of "$1" "$size" "$start" >"$work/${2:-$1}" && [ "$(wc -c <"$work/${2:-$1}")" -eq "$size" ] || stop "no room for $1 in ${TMPDIR:-/tmp}, or it can't be read"
}

is_there() {
    file_of "$1"
    [ -n "$size" ]
}

# --- the other rungs -----------------------------------------------------------------------------------------------

signature_rung() {
    begin signature
    if [ "$trust" = none ]; then
        row signature unchecked "not asked for (--trust none)"
        return 0
    elif [ -z "$trust" ]; then
        issue no-trust "nobody said whose signature is trusted (--trust)"
    elif ! is_there SHA256SUMS; then
        issue missing-file "SHA256SUMS is missing"
    elif is_there SHA256SUMS.signatures || [ -n "$(trust_files)" ]; then
        policy_check
    elif ! is_there SHA256SUMS.sig && ! is_there SHA256SUMS.pub; then
        issue unsigned "the bundle is not signed"
    elif ! is_there SHA256SUMS.sig; then
        issue missing-file "SHA256SUMS.sig is missing"
    elif ! is_there SHA256SUMS.pub; then
        issue missing-file "SHA256SUMS.pub is missing"
    else
        signature_check
    fi
    [ "$issues" != 0 ] || signed_by=${signed_by:-$trust}
    end "SHA256SUMS is signed by $signed_by"
}

signature_check() {
    for each in SHA256SUMS SHA256SUMS.sig SHA256SUMS.pub; do keep $each; done
    key_of "$work/SHA256SUMS.pub"
    if [ -z "$key" ] || ! openssl pkey -pubin -in "$work/SHA256SUMS.pub" 2>/dev/null | cmp -s - "$work/SHA256SUMS.pub"; then
        issue other-key "SHA256SUMS.pub is no P-256 public key in its one form"
    elif [ "$key" != "$trust" ]; then
        issue other-key "the bundle's key is $key, trusted is $trust"
    elif ! openssl dgst -sha256 -verify "$work/SHA256SUMS.pub" -signature "$work/SHA256SUMS.sig" "$work/SHA256SUMS" >/dev/null 2>&1; then
        issue signature "SHA256SUMS.sig is no signature by $trust over SHA256SUMS"
    fi
}

# --- trust policies: whose signatures are wanted --------------------------------------------------------------------

# trust_files: the files below trust/, each with the most bytes that it may have.
trust_files() {
    printf '%s\n' "$files" | awk '$1 ~ /^trust\// { print $1 ":8192" }'
}

# policy_check: the policies from the first to the one in force, then the signatures that it wants. Each question is asked only
# where the ones before it found nothing. Sets signed_by, and policy_end to what the policy in force says of its end.
policy_check() {
    if is_there SHA256SUMS.sig || is_there SHA256SUMS.pub; then
        issue trust-form "there is a signature by one key beside a trust policy"
        return 0
    fi
    policies=$(trust_files | awk "$policies_program")
    [ "$policies" != 0 ] || issue trust-form "trust/ does not hold the policies from the first on, each with its signatures, and nothing else"
    [ "$issues" != 0 ] || each_policy policy_read
    [ "$issues" != 0 ] || chain_check
    [ "$issues" != 0 ] || signatures_check
}

# each_policy COMMAND: for version 1 and so on, until one has an issue.
each_policy() {
    version=0
    while [ $version -lt "$policies" ] && [ "$issues" = 0 ]; do
        version=$((version + 1))
        $1
    done
}

# policy_read: checks the form of one, keeps it as policy_N and signatures_N, and the PEM of each key under its fingerprint.
policy_read() {
    name=trust/$(printf '%04d' $version)
    keep "$name.policy" policy.$version
    keep "$name.signatures" signatures.$version
    said=$(policy_of "$work/policy.$version")
    case $said in
    wrong*) issue trust-form "$name.policy ${said#wrong }" ;;
    "$version "*)
        eval "policy_$version=\$said"
        policy_keys "${said#*"$newline"}" || issue trust-form "$name.policy has a line that is no key"
        ;;
    *) issue trust-form "$name.policy is another version" ;;
    esac
    said=$(signatures_of "$work/signatures.$version")
    eval "signatures_$version=\$said"
    [ "$said" != wrong ] || issue trust-form "$name.signatures is not written as it must be"
}

# policy_keys LINES: false where one of them is not the key of its fingerprint, on P-256 and in its one form.
policy_keys() {
    IFS=$newline
    for each in $1; do
        IFS=' '
        set -- $each
        pem=$work/key.${1#SHA256:}
        printf -- '-----BEGIN PUBLIC KEY-----\n%s\n%s\n-----END PUBLIC KEY-----\n' "$2" "$3" >"$pem" || stop "no room for a key in ${TMPDIR:-/tmp}"
        key_of "$pem"
        [ "$key" = "$1" ] && openssl pkey -pubin -in "$pem" 2>/dev/null | cmp -s - "$pem" || { IFS=" 	$newline" && return 1; }
    done
    IFS=" 	$newline"
}

# chain_check: each policy is let in by the one before; and what is trusted leads to one of them. Leaves known to be the keys of
# the last one.
chain_check() {
    former=none former_known=' ' former_threshold=0 known=' ' threshold=0 anchored=no
    each_policy link_check
    [ "$issues" != 0 ] || [ $anchored = yes ] || issue other-key "the bundle's trust policies do not come from $trust; the last one is $former"
}

# link_check: one policy, with former (its digest), former_known and former_threshold of the one before.
link_check() {
    policy='' lines=''
    eval "policy=\$policy_$version lines=\$signatures_$version"
    set -- ${policy%%"$newline"*}
    threshold=$3 policy_says="$4${5:+ $5}"
    [ "$2" = "$former" ] || issue trust-chain "trust policy $version follows another policy than the one before it"
    own=$(printf '%s\n' "${policy#*"$newline"}" | awk 'BEGIN { printf " " } { printf "%s=%s ", $1, $4 }')
    known="$own${former_known# }"
    judge "$lines" "$work/policy.$version"
    [ -z "$bad$strangers" ] || issue trust-chain "trust policy $version has signatures that are not good, or by keys that are not at hand:$bad$strangers"
    if [ "$issues" = 0 ]; then
        [ "$(count_in "$own")" -ge "$threshold" ] || issue trust-chain "trust policy $version is signed by $(count_in "$own") of its keys, and wants $threshold"
        [ "$(count_in "$former_known")" -ge "$former_threshold" ] ||
            issue trust-chain "trust policy $version is signed by $(count_in "$former_known") keys of the one before, which wants $former_threshold"
    fi
    former=$(digest_of "$work/policy.$version") former_known=$own former_threshold=$threshold known=$own
    [ "$former" != "$trust" ] || anchored=yes
    case $own in *" $trust="*) case " $signers " in *" $trust "*) anchored=yes ;; esac ;; esac
}

# signatures_check: those over SHA256SUMS, by keys of the policy in force.
signatures_check() {
    if ! is_there SHA256SUMS.signatures; then
        issue unsigned "the bundle is not signed"
        return 0
    fi
    for each in SHA256SUMS SHA256SUMS.signatures; do keep $each; done
    lines=$(signatures_of "$work/SHA256SUMS.signatures")
    if [ "$lines" = wrong ]; then
        issue trust-form "SHA256SUMS.signatures is not written as it must be"
        return 0
    fi
    judge "$lines" "$work/SHA256SUMS"
    for each in $bad; do issue signature "the signature by $each over SHA256SUMS is not good"; done
    for each in $strangers; do issue other-key "there is a signature by $each, which trust policy $version does not list"; done
    [ "$issues" = 0 ] || return 0
    if [ "$(count_in "$known")" -lt "$threshold" ]; then
        issue threshold "$(count_in "$known") of the keys of trust policy $version have signed, $threshold are wanted"
        return 0
    fi
    for each in $signers; do name_of "$each" && signed_by="$signed_by${signed_by:+, }$name"; done
    signed_by="$signed_by ($(count_in "$known") of $(($(lines "$policy") - 1)) keys, $threshold wanted) under trust policy $version, trusted through $trust"
    policy_end=$policy_says
}

# judge LINES FILE: whose signatures over the file are good (signers), whose are not (bad, by name), and by which keys nobody
# can tell (strangers), of the keys in known.
judge() {
    signers='' bad='' strangers='' signed=$2
    IFS=$newline
    for each in $1; do
        IFS=' '
        set -- $each
        name_of "$1"
        if [ -z "$name" ]; then
            strangers="$strangers $1"
        else
            printf '%s\n' "$2" | openssl base64 -d -A >"$work/signature"
            [ -s "$work/signature" ] || stop "no room for a signature in ${TMPDIR:-/tmp}"
            if openssl dgst -sha256 -verify "$work/key.${1#SHA256:}" -signature "$work/signature" "$signed" >/dev/null 2>&1; then
                signers="$signers $1"
            else
                bad="$bad $name"
            fi
        fi
    done
    IFS=" 	$newline"
}

# name_of FINGERPRINT: sets name, to nothing if the key is not known.
name_of() {
    name=''
    case $known in *" $1="*) name=${known#*" $1="} && name=${name%% *} ;; esac
}

# count_in KEYS: how many of the signers are among them.
count_in() {
    count=0
    for each in $signers; do
        case $1 in *" $each="*) count=$((count + 1)) ;; esac
    done
    echo $count
}

digest_of() {
    set -- "$(sha256sum <"$1")"
    printf 'SHA256:%s' "${1%% *}"
}

# policy_of FILE: one line with version, digest of the policy before or none, threshold and end; then one a key: fingerprint,
# its base64 in two halves, name. Or "wrong" and why.
policy_of() {
    if is_text "$1"; then awk "$policy_program$digest_program$time_program" "$1"; else echo 'wrong is no trust policy of version v1'; fi
}

# signatures_of FILE: its lines, or "wrong".
signatures_of() {
    if is_text "$1"; then awk "$signatures_program$digest_program" "$1"; else echo wrong; fi
}

# How many policies there are: 0 unless each is there with its signatures, from the first on, and nothing else.
# shellcheck disable=SC2016 # an awk program
policies_program='
    { there[$0] = 1 }
    /\.policy:/ { count++ }
    END {
        for (i = 1; i <= count; i++) if (!(sprintf("trust/%04d.policy:8192", i) in there) || !(sprintf("trust/%04d.signatures:8192", i) in there)) count = -1
        print (count > 0 && count <= 32 && NR == 2 * count ? count : 0)
    }'

# shellcheck disable=SC2016 # an awk program
policy_program='
    function bad(why) { wrong = why; exit }
    NR == 1 { if ($0 != "cloudlet-bundle trust policy v1") bad("is no trust policy of version v1"); next }
    NR == 2 { version = substr($0, 9) + 0; if ($0 !~ /^version [1-9][0-9]?$/ || version > 32) bad("has no version from 1 to 32"); next }
    NR == 3 {
        previous = substr($0, 10)
        if ($0 !~ /^previous ./ || (previous != "none" && !digest(previous))) bad("is no trust policy of version v1")
        if ((version == 1) != (previous == "none")) bad("must name the policy before it, unless it is the first")
        next
    }
    NR == 4 { threshold = substr($0, 11) + 0; if ($0 !~ /^threshold [1-9][0-9]?$/) bad("is no trust policy of version v1"); next }
    NR == 5 {
        until = substr($0, 7)
        if ($0 !~ /^until [^ ]/ || (until != "never" && (until !~ /^[^ ]+ (warn|refuse)$/ || epoch(substr(until, 1, index(until, " ") - 1)) < 0))) bad("ends at no time")
        next
    }
    {
        mark = substr($0, 5, 71); text = substr($0, 77, 124); name = substr($0, 202)
        if (substr($0, 1, 4) != "key " || !digest(mark) || substr($0, 76, 1) substr($0, 201, 1) != "  ") bad("has a line that is no key")
        if (length(text) != 124 || text !~ /^[A-Za-z0-9+\/=]+$/ || length(name) > 40 || name !~ /^[A-Za-z0-9][A-Za-z0-9._-]*$/) bad("has a line that is no key")
        if (("x" before) >= ("x" mark) || name in names) bad("has keys out of order, or one or a name twice")
        if (++keys > 16) bad("has more than 16 keys")
        before = mark; names[name] = 1
        line[keys] = mark " " substr(text, 1, 64) " " substr(text, 65) " " name
    }
    END {
        if (!wrong && NR < 5) wrong = "is no trust policy of version v1"
        if (!wrong && threshold > keys) wrong = "wants more signatures than it has keys"
        if (wrong) { print "wrong " wrong; exit }
        print version, previous, threshold, until
        for (i = 1; i <= keys; i++) print line[i]
    }'

# The last digit of base64 has bits that must be 0: there is one text for each signature.
# shellcheck disable=SC2016 # an awk program
signatures_program='
    {
        mark = substr($0, 1, 71); sum = substr($0, 73)
        if (NR > 32 || !digest(mark) || substr($0, 72, 1) != " " || ("x" before) >= ("x" mark)) wrong = 1
        if (length(sum) > 96 || length(sum) % 4 || sum !~ /^([A-Za-z0-9+\/]+|[A-Za-z0-9+\/]*([AEIMQUYcgkosw048]=|[AQgw]==))$/) wrong = 1
        before = mark
        line[NR] = $0
    }
    END { if (wrong) print "wrong"; else for (i = 1; i <= NR; i++) print line[i] }'

# shellcheck disable=SC2016 # an awk program
digest_program='
    function digest(text) { return length(text) == 71 && substr(text, 1, 7) == "SHA256:" && substr(text, 8) !~ /[^0-9a-f]/ }'

# --- sums, and what they list --------------------------------------------------------------------------------------

# sums_rung: reads the sums as strictly as they are written, then hashes every file that they list. Sets listed, one line
# a file: path and sum; empty if the sums can't be read.
sums_rung() {
    begin sums
    listed='' sums_good=no
    if ! is_there SHA256SUMS; then
        issue missing-file "SHA256SUMS is missing"
    else
        keep SHA256SUMS
        sums_read
        sums_compare
    fi
    [ "$issues" != 0 ] || sums_good=yes
    end "$(lines "$listed") files are those that SHA256SUMS lists"
}

sums_read() {
    if ! is_text "$work/SHA256SUMS"; then
        issue sums-form "SHA256SUMS holds other characters than it may, or does not end with a line's end"
    else
        said=$(awk "$sums_program" "$work/SHA256SUMS")
        case $said in
        wrong*) issue sums-form "SHA256SUMS ${said#wrong }" ;;
        *) listed=$said ;;
        esac
    fi
}

# is_text FILE: nothing but ASCII without control characters, and ends of lines, with one at the end.
is_text() {
    [ "$(tr -d '\n -~' <"$1" | wc -c)" -eq 0 ] && [ "$(tail -c 1 "$1" | od -An -tx1 | tr -d ' ')" = 0a ]
}

# shellcheck disable=SC2016 # an awk program
sums_program='
    function bad(why) { wrong = why; exit }
    {
        sum = substr($0, 1, 64); path = substr($0, 67)
        if (NR > 10000) bad("has more than 10000 lines")
        if (length(sum) != 64 || sum ~ /[^0-9a-f]/ || substr($0, 65, 2) != "  ") bad("line " NR " is not a sum and a path")
        if (length(path) > 100 || path !~ /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/) bad("line " NR " is not a sum and a path")
        if (path ~ /^SHA256SUMS(\.sig|\.pub|\.signatures)?$/) bad("line " NR " lists " path ", which no sum can hold")
        if (("x" before) >= ("x" path)) bad("line " NR " is out of order, or twice")
        before = path
        all[NR] = path; sums[NR] = sum
        if (tolower(path) in files) bad("lists names that are one on some disks: " path)
        files[tolower(path)] = 1
        if (path == "manifest.json") manifest = 1
    }
    END {
        if (!wrong && !manifest) wrong = "does not list manifest.json"
        for (i = 1; i <= NR && !wrong; i++) {
            parts = split(all[i], part, "/")
            folder = ""
            for (k = 1; k < parts; k++) {
                folder = folder (k > 1 ? "/" : "") part[k]
                lower = tolower(folder)
                if (lower in files || (lower in spelled && spelled[lower] != folder)) wrong = "lists names that are one on some disks: " all[i]
                spelled[lower] = folder
            }
        }
        if (wrong) print "wrong " wrong
        else for (i = 1; i <= NR; i++) print all[i], sums[i]
    }'

# sums_compare: most files are hashed many at a time; that only ever proves a file. Of the others, each is hashed by itself.
sums_compare() {
    said=$({ printf '%s\n' "$listed" "= files" "$files" "= sums"; hash_many; } | awk -v small=$small '
        $1 == "=" { part = $2; next }
        NF < 2 { next }
        !part { path[++n] = $1; sum[$1] = $2; next }
        part == "files" { rest[$1] = $3 " " $5; next }
        { sub(/^\.\//, "", $2); if (sum[$2] == $1) proven[$2] = 1 }
        END {
            for (i = 1; i <= n; i++) {
                if (path[i] in proven || small == "yes" && path[i] ~ /^(blobs\/|ovf\/(payload|vm-image)\.vmdk$)/) continue
                print path[i], sum[path[i]], rest[path[i]]
            }
        }')
    IFS=$newline
    for each in $said; do
        IFS=' '
        set -- $each
        if [ $# -lt 4 ]; then
            issue missing-file "$1 is missing"
        else
            sum=$(bytes_of "$1" "$3" "$4" | sha256sum)
            [ "${sum%% *}" = "$2" ] || issue digest "$1 is not the file that was listed"
        fi
    done
    IFS=" 	$newline"
}

# hash_many: lines of sha256sum. In a folder, of every file. In a tar that has hundreds, of the small ones, which tar lays into
# $work: of this form, nothing can be read in two ways. Where there is no tar, or no room, it is of none.
hash_many() {
    if [ -z "$archive" ]; then
        find . \( -path ./blobs -o -path './ovf/*.vmdk' \) -prune -o -type f -exec sha256sum {} + 2>/dev/null || :
    elif [ "$count" -gt 200 ] && command -v tar >/dev/null 2>&1 && mkdir "$work/many"; then
        if small_files | tar -xf - -C "$work/many" 2>/dev/null; then
            (cd "$work/many" && find . -type f -exec sha256sum {} + 2>/dev/null) || :
        fi
        rm -rf "$work/many"
    fi
}

# small_files: the tar without its long files.
small_files() {
    # shellcheck disable=SC2046 # numbers
    set -- $(printf '%s\n' "$files" | awk '
        function close_run() { if (end) printf "%.0f %.0f\n", begin / 512, end - begin; end = 0 }
        $3 > 65536 || $1 ~ /^(blobs\/|ovf\/(payload|vm-image)\.vmdk$)/ { close_run(); next }
        { if (!end) begin = $5 - 512; end = $5 + int(($3 + 511) / 512) * 512 }
        END { close_run() }')
    while [ $# -gt 1 ]; do
        { dd bs=512 skip="$1" count=0 2>/dev/null && head -c "$2"; } <"$archive"
        shift 2
    done
    head -c 1024 /dev/zero
}

extra_rung() {
    begin no-extra
    if [ -z "$listed" ]; then
        row no-extra unreached "there are no sums to compare with"
        return 0
    fi
    # Where the small files alone are wanted, a big one would be a byte that nobody looks at.
    said=$(printf '%s\n' "$listed" "= files" "$files" "= folders" "$folders" | awk -v small=$small '
        $1 == "=" { part = $2; next }
        $1 == "" { next }
        !part { known[$1] = 1; path = $1; while (sub(/\/[^\/]*$/, "", path)) needed[path] = 1; next }
        part == "files" && small == "yes" && /^(blobs\/|ovf\/(payload|vm-image)\.vmdk )/ { print $1; next }
        part == "files" && !($1 in known) && $1 !~ /^SHA256SUMS(\.sig|\.pub|\.signatures)?$/ { print $1 }
        part == "folders" && !($1 in needed) { print $1 }')
    for path in $said; do
        if is_left_out "$path"; then issue extra-file "$path is there, where small files alone may be"; else issue extra-file "$path is not listed"; fi
    done
    end "nothing else is there"
}

manifest_rung() {
    begin manifest
    manifest_good=no
    if [ $sums_good = no ]; then
        row manifest unreached "its bytes are not proven"
        return 0
    fi
    keep manifest.json
    manifest=wrong
    if is_text "$work/manifest.json"; then
        manifest=$({ printf '%s\n' "$manifest_lines" ==; cat "$work/manifest.json"; } | awk "$manifest_program$time_program")
    fi
    if [ "$manifest" = wrong ]; then
        issue manifest-form "manifest.json is not written as it must be"
    else
        manifest_compare
    fi
    [ "$issues" != 0 ] || manifest_good=yes
    end "sizes and modes of $(($(lines "$manifest") - 1)) files are as manifest.json gives them"
}

manifest_compare() {
    said=$(printf '%s\n' "$listed" "= manifest" "$manifest" "= files" "$files" | awk -v archive="${archive:+yes}" -v small=$small "$agree_program")
    IFS=$newline
    for each in $said; do issue "${each%% *}" "${each#* }"; done
    IFS=" 	$newline"
}

# manifest.json line by line; there is one form. After @: S text, T time, N number, D digest, E path of evidence, M mode, P path, R role, X sum.
manifest_lines='{
  "apiVersion": "cloudlet-bundle/v1",
  "cloudlet": {
    "name": @S,
    "organization": @S,
    "region": @S
  },
  "evidence": [
    @E
  ],
  "files": [
    {
      "mode": @M,
      "origin": @S,
      "path": @P,
      "role": @R,
      "sha256": @X,
      "size": @N
    }
  ],
  "generator": {
    "name": @S,
    "version": @S
  },
  "kind": "Manifest",
  "lock": {
    "digest": @D
  },
  "platform": @S,
  "release": {
    "created": @T,
    "name": @S,
    "sequence": @N
  },
  "spec": {
    "digest": @D
  }
}'

# Prints the release's time, then path, mode, size and sum of each file; or "wrong".
# shellcheck disable=SC2016 # an awk program
manifest_program='
    !given { if ($0 == "==") given = NR; else form[NR] = $0; next }
    {
        if (!(++at in form)) wrong = 1
        if (wrong) exit
        # Another file follows: the next line is the first of its eight again.
        if (form[at] == "    }" && $0 == "    },") { file(); at -= 8; next }
        if (form[at] == "    }") file()
        # More evidence follows: the next line is of the same form.
        more = form[at] == "    @E" && sub(/,$/, "")
        mark = index(form[at], "@")
        if (!mark) { if ($0 != form[at]) wrong = 1; next }
        before = substr(form[at], 1, mark - 1); after = substr(form[at], mark + 2)
        value = substr($0, mark, length($0) - mark + 1 - length(after))
        if (substr($0, 1, mark - 1) != before || substr($0, mark + length(value)) != after) wrong = 1
        else take(substr(form[at], mark + 1, 1), value)
        at -= more
    }
    END {
        if (wrong || form[at] != "}" || at != given - 1 || told != shown || !needed()) { print "wrong"; exit }
        print created
        for (i = 1; i <= count; i++) print path[i], mode[i], size[i], sum[i]
    }
    function take(kind, value,   text) {
        text = substr(value, 2, length(value) - 2)
        if (kind == "N") { if (value !~ /^(0|[1-9][0-9]*)$/ || length(value) > 15) wrong = 1; else now["N"] = value; return }
        if (value !~ /^"([]-~ !#-[]|\\["\\bfnrt]|\\u(000[0-7bef]|001[0-9a-f]|007f|00[89a-f][0-9a-f]|0[1-9a-f][0-9a-f][0-9a-f]|[1-9a-f][0-9a-f][0-9a-f][0-9a-f]))+"$/) wrong = 1
        if (kind == "M" && text !~ /^0(644|755)$/) wrong = 1
        if (kind == "P" && (length(text) > 100 || text !~ /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/ || text ~ /^(manifest\.json|SHA256SUMS(\.sig|\.pub|\.signatures)?)$/)) wrong = 1
        if (kind == "R" && text !~ /^(data|document|evidence|payload|script|site|vm-image)$/) wrong = 1
        if (kind == "E") told = told text " "
        if (kind == "D" && !sub(/^sha256:/, "", text)) wrong = 1
        if ((kind == "D" || kind == "X") && (length(text) != 64 || text ~ /[^0-9a-f]/)) wrong = 1
        if (kind == "T" && (created = epoch(text)) < 0) wrong = 1
        now[kind] = text
    }
    function file(   place) {
        place = (now["P"] ~ /^(blobs\/|ovf\/(payload|vm-image)\.vmdk$)/ ? "x1" : "x0") now["P"]
        if (last >= place || ++count > 10000) wrong = 1
        last = place
        if (now["R"] == "evidence") shown = shown now["P"] " "
        path[count] = now["P"]; mode[count] = now["M"]; size[count] = now["N"]; sum[count] = now["X"]
    }
    function needed(   names, n, i) {
        n = split("audit.json lock.json origins.json provenance.json release.json report.html report.json sbom.cdx.json sbom.spdx.json spec.json", names, " ")
        for (i = 1; i <= n; i++) if (!index(" " told, " evidence/" names[i] " ")) return 0
        return 1
    }'

# Seconds since the Epoch, by the civil calendar counted from 1 March; -1 for what is no time.
# shellcheck disable=SC2016 # an awk program
time_program='
    function epoch(text,   y, m, d, h, i, s) {
        if (text !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z$/) return -1
        y = substr(text, 1, 4) + 0; m = substr(text, 6, 2) + 0; d = substr(text, 9, 2) + 0
        h = substr(text, 12, 2) + 0; i = substr(text, 15, 2) + 0; s = substr(text, 18, 2) + 0
        if (y < 1970 || m < 1 || m > 12 || d < 1 || d > days(y, m) || h > 23 || i > 59 || s > 59) return -1
        if (m <= 2) { y--; m += 12 }
        s += ((365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + d - 719469) * 24 + h) * 3600 + i * 60
        return s <= 2147483647 ? sprintf("%.0f", s) : -1
    }
    function days(y, m) { return m == 2 ? 28 + (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)) : 30 + (m + (m > 7)) % 2 }'

# In an archive, exactly the mode and the release's time. In a folder a umask may have taken bits away, but none may have
# come, its owner can still read it, and a script can still be run by its owner.
# shellcheck disable=SC2016 # an awk program
agree_program='
    function bits(text,   v, k) { v = 0; for (k = 1; k <= length(text); k++) v = v * 8 + substr(text, k, 1); return v }
    function has(v, bit) { return int(v / bit) % 2 }
    function fits(mode, wanted, least,   bit) {
        for (bit = 1; bit <= 2048; bit *= 2) if (has(mode, bit) && !has(wanted, bit) || has(least, bit) && !has(mode, bit)) return 0
        return 1
    }
    function left_out(path) { return small == "yes" && path ~ /^(blobs\/|ovf\/(payload|vm-image)\.vmdk$)/ && !(path in there) }
    $1 == "=" { part = $2; next }
    !part { if ($1 != "manifest.json") sums[$1] = $2; next }
    part == "manifest" && NF == 1 { created = $1; next }
    part == "manifest" { mode[$1] = $2; size[$1] = $3; sum[$1] = $4; next }
    {
        there[$1] = $3
        # What the sums do not list was refused already.
        if (!($1 in mode) && $1 !~ /^(manifest\.json|SHA256SUMS(\.sig|\.pub|\.signatures)?)$/) next
        wanted = $1 in mode ? mode[$1] : "0644"
        good = archive ? bits($2) == bits(wanted) : fits(bits($2), bits(wanted), wanted == "0755" ? bits("0500") : bits("0400"))
        if (!good) print "mode", $1, "has mode " $2 ", not " wanted
        if (archive && $4 != created) print "time", $1, "has another time than the release"
    }
    END {
        for (path in sums) if (!(path in sum)) print "manifest-disagrees", path, "is in SHA256SUMS alone"
        for (path in sum) if (!(path in sums) || sums[path] != sum[path] || !left_out(path) && there[path] != size[path]) print "manifest-disagrees", path, "has another digest or size in manifest.json"
    }'

# validity_rung: does the policy in force still hold? Times of this form are ordered as their texts are.
validity_rung() {
    begin validity
    if [ $manifest_good = no ]; then
        row validity unreached "the time of the release is not proven"
        return 0
    fi
    created=$(sed -n 's/^    "created": "\(.*\)",$/\1/p' "$work/manifest.json")
    now=${time:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}
    case $now in [0-9][0-9][0-9][0-9]-*Z) ;; *) stop "the clock can't be read" ;; esac
    until=${policy_end% *} code=expired
    if [ "$until" = never ]; then
        row validity proven "trust policy $version has no end"
        return 0
    elif ! is_before "$created" "$until" || ! is_before "$now" "$until"; then
        said="trust policy $version ended at $until"
    elif is_before "$now" "$created"; then
        code=clock said="the clock says $now, before the release was made ($created): nobody can tell whether trust policy $version has ended ($until)"
    else
        row validity proven "trust policy $version holds until $until; the clock says $now"
        return 0
    fi
    if [ "${policy_end#* }" = warn ]; then row validity warned "$said"; else issue $code "$said"; fi
}

is_before() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit ("x" a) < ("x" b) ? 0 : 1 }'
}

# --- what is said --------------------------------------------------------------------------------------------------

# begin RUNG … issue CODE MESSAGE … end PROVED: proven if there was no issue.
begin() {
    rung=$1 issues=0
}

issue() {
    refused=yes issues=$((issues + 1))
    row "$rung" refused "verify/$1: $2"
}

end() {
    [ "$issues" != 0 ] || row "$rung" proven "$1"
}

row() { # RUNG STATUS SAYS
    [ $quiet = yes ] && [ "$2" != refused ] && [ "$2" != warned ] || printf '%-9s  %-9s  %s\n' "$1" "$2" "$3"
}

verdict() {
    if [ $refused = yes ]; then
        printf 'REFUSED: do not use this bundle\n'
        leave 1
    elif [ $quiet = yes ]; then
        leave 0
    elif [ -z "$signed_by" ]; then
        printf 'WHOLE, but nobody knows who made it: the signature was not checked\n'
    else
        printf 'GOOD: everything in it was signed by %s\n' "$signed_by"
    fi
    leave 0
}

# lines TEXT: how many there are.
lines() {
    if [ -z "$1" ]; then echo 0; else printf '%s\n' "$1" | wc -l | tr -d ' '; fi
}

wrong_usage() {
    printf 'verify.sh: %s\n(verify.sh --help tells how)\n' "$1" >&2
    leave 2
}

stop() {
    printf 'verify.sh: %s\n' "$1" >&2
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
        printf 'verify.sh: something failed on this machine, so nothing is proven\n' >&2
        exit 3
    }
}

main "$@"
