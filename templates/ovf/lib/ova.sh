# The OVA: the OVF package as one archive, for clients and people that want a single file. `cloudlet-bundle ova` makes the
# same bytes; docs/bundle-format.md, section 7, says which.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# Most bytes of a file in a plain ustar archive: eleven octal digits.
ova_limit=8589934591
ova_aside=''

# ova_run: the verb --ova.
ova_run() {
    run_open
    verify_bundle
    heading "ova"
    ova_total=0
    for ova_path in $(ova_paths); do
        ova_size=$(stat -L -c %s "$here/$ova_path")
        [ "$ova_size" -le "$ova_limit" ] || stop 1 ova/too-big \
            "$ova_path has $ova_size bytes; an OVA is a plain ustar archive, whose files have at most $ova_limit" \
            "Deploy the folder ovf/ instead: every client takes platformvm.ovf with its disks beside it."
        ova_total=$((ova_total + 512 + (ova_size + 511) / 512 * 512))
    done
    ova_total=$((ova_total + 1024))
    [ -d "$(dirname -- "$ova_file")" ] || stop 2 usage/ova "there is no folder $(dirname -- "$ova_file")" "Make it, or give another place: --ova FILE"
    ova_room=$(df -Pk "$(dirname -- "$ova_file")" | awk 'NR == 2 { print $4 }')
    [ "${ova_room:-0}" -ge $(((ova_total + 1023) / 1024)) ] || stop 3 ova/disk-full \
        "$(dirname -- "$ova_file") has $((${ova_room:-0} / 1024)) MiB free, the OVA needs $(mebibytes "$ova_total")" \
        "Free some, or give another place: --ova FILE"
    ova_write
    printf '%s\n' "$ova_file"
}

# ova_paths: the descriptor first, then what its digests are in, then the disks in the order of its References, so that who
# reads it as a stream has the digests before the first disk (DSP0243 1.1.0, clause 5.3).
ova_paths() {
    printf '%s\n' "$CB_OVF_FILE" "$CB_OVF_MANIFEST"
    [ ! -f "$here/ovf/platformvm.cert" ] || printf '%s\n' ovf/platformvm.cert
    printf '%s\n' "$CB_OVF_VM_IMAGE_FILE" "$CB_OVF_PAYLOAD_FILE"
}

# ova_write: beside the file, then renamed: under its name it is whole or not there.
ova_write() {
    ova_aside=$ova_file.$$.part
    ova_all >"$ova_aside" || stop 3 ova/unwritable "can't write $ova_aside" "See above; give another place: --ova FILE"
    chmod 644 "$ova_aside"
    mv -f "$ova_aside" "$ova_file" || stop 3 ova/unwritable "can't write $ova_file" "Give another place: --ova FILE"
    ova_aside=''
}

ova_all() {
    for ova_path in $(ova_paths); do
        say "    ${ova_path##*/}"
        ova_entry "$here/$ova_path" || return 1
    done
    ova_zeros 1024
}

# ova_entry FILE: its header, its bytes, and zeros up to a whole block.
ova_entry() {
    ova_size=$(stat -L -c %s "$1") || return 1
    ova_fields "${1##*/}" "$ova_size" '        ' >"$work/header" || return 1
    # The sum of all bytes of the header, its own eight taken as spaces.
    ova_sum=$(od -An -v -tu1 "$work/header" | awk '{ for (i = 1; i <= NF; i++) sum += $i } END { printf "%06o", sum }') || return 1
    ova_fields "${1##*/}" "$ova_size" "$ova_sum" || return 1
    cat "$1" || return 1
    ova_zeros $(((512 - ova_size % 512) % 512))
}

# ova_fields NAME SIZE CHECKSUM: 512 bytes of POSIX.1-2017 pax's "ustar Interchange Format": mode 0644, owner and group 0,
# the release's time. The checksum is eight spaces, or six digits.
ova_fields() {
    printf '%s' "$1"
    ova_zeros $((100 - ${#1}))
    printf '000644 \000000000 \000000000 \000%011o %011o ' "$2" "$CB_RELEASE_CREATED"
    case $3 in
    ' '*) printf '%s' "$3" ;;
    *) printf '%s \000' "$3" ;;
    esac
    printf 0
    ova_zeros 100
    printf 'ustar\00000'
    ova_zeros 64
    printf '000000 \000000000 \000'
    ova_zeros 167
}

# ova_zeros COUNT
ova_zeros() {
    [ "$1" = 0 ] || head -c "$1" /dev/zero
}

# platform_close: at every end, also an interrupted one.
platform_close() {
    [ -z "$ova_aside" ] || rm -f "$ova_aside"
}
