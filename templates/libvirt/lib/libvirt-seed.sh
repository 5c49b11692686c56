# The seed: a CD with what cloud-init asks for, written byte by byte, for no site has to have a program that makes one.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# ECMA-119 (ISO 9660), level 2, one folder. Linux shows META-DATA.;1 as meta-data. Sectors of 2,048 bytes: 16 volume
# descriptor, 17 terminator, 18 and 19 path tables, 20 folder, from 21 on the files.

# seed_write OUT META-DATA NETWORK-CONFIG USER-DATA
seed_write() {
    seed_meta=$(($(wc -c <"$2"))) seed_network=$(($(wc -c <"$3"))) seed_user=$(($(wc -c <"$4")))
    seed_at_network=$((21 + (seed_meta + 2047) / 2048))
    seed_at_user=$((seed_at_network + (seed_network + 2047) / 2048))
    seed_sectors=$((seed_at_user + (seed_user + 2047) / 2048))
    {
        seed_zeros 32768
        seed_volume | seed_sector
        printf '\377CD001\001' | seed_sector
        seed_path_table seed_le32 seed_le16 | seed_sector
        seed_path_table seed_be32 seed_be16 | seed_sector
        seed_folder | seed_sector
        cat "$2" && seed_zeros $(((2048 - seed_meta % 2048) % 2048))
        cat "$3" && seed_zeros $(((2048 - seed_network % 2048) % 2048))
        cat "$4" && seed_zeros $(((2048 - seed_user % 2048) % 2048))
    } >"$1"
}

# seed_volume: the primary volume descriptor (8.4). cloud-init looks for the volume's name.
seed_volume() {
    printf '\001CD001\001\000%-32s%-32s' '' cidata
    seed_zeros 8
    seed_32 "$seed_sectors"
    seed_zeros 32
    seed_16 1 && seed_16 1 && seed_16 2048
    seed_32 10
    seed_le32 18 && seed_zeros 4
    seed_be32 19 && seed_zeros 4
    seed_record 20 2048 2 '\000' 1
    # Names of sets, people and files: none. Four times: not given.
    printf '%623s' ''
    for seed_time in 1 2 3 4; do printf '0000000000000000\000'; done
    printf '\001'
}

# seed_path_table NUMBER32 NUMBER16 (6.9, 9.4)
seed_path_table() {
    printf '\001\000'
    "$1" 20
    "$2" 1
    printf '\000\000'
}

# seed_folder: itself, the one above, which is itself, and the files in order of their names.
seed_folder() {
    seed_record 20 2048 2 '\000' 1
    seed_record 20 2048 2 '\001' 1
    seed_record 21 "$seed_meta" 0 'META-DATA.;1' 12
    seed_record "$seed_at_network" "$seed_network" 0 'NETWORK-CONFIG.;1' 17
    seed_record "$seed_at_user" "$seed_user" 0 'USER-DATA.;1' 12
}

# seed_record SECTOR BYTES FLAGS NAME LENGTH (9.1): of even length; dated 2000-01-01, so that it is the same each time.
seed_record() {
    seed_even=$(((34 + $5) / 2 * 2))
    seed_byte "$seed_even" && seed_byte 0
    seed_32 "$1" && seed_32 "$2"
    printf '\144\001\001\000\000\000\000'
    seed_byte "$3" && printf '\000\000'
    seed_16 1
    seed_byte "$5"
    # shellcheck disable=SC2059 # the name is one of the five above
    printf "$4"
    seed_zeros $((seed_even - 33 - $5))
}

# Numbers: one byte; both orders, as most fields want them; one order.
seed_byte() {
    # shellcheck disable=SC2059 # three octal digits
    printf "\\$(printf '%03o' $(($1 & 255)))"
}

seed_32() {
    seed_le32 "$1" && seed_be32 "$1"
}

seed_16() {
    seed_le16 "$1" && seed_be16 "$1"
}

seed_le32() {
    seed_le16 "$1" && seed_le16 $(($1 >> 16))
}

seed_be32() {
    seed_be16 $(($1 >> 16)) && seed_be16 "$1"
}

seed_le16() {
    seed_byte "$1" && seed_byte $(($1 >> 8))
}

seed_be16() {
    seed_byte $(($1 >> 8)) && seed_byte "$1"
}

seed_zeros() {
    [ "$1" = 0 ] || dd if=/dev/zero bs="$1" count=1 2>/dev/null
}

# seed_sector: standard input, at most a sector, filled up to one.
seed_sector() {
    { cat; seed_zeros 2048; } | head -c 2048
}
