# What install.sh does on a machine of the pool: sent there at each call and run by root's sh; nothing of it stays.
# shellcheck shell=sh
#
#   sh -c 'eval …' machine CONNECTION VERB ARG...      data on standard input; facts as lines on standard output, the last is "end"
#
# /var/lib/cloudlet (0700) is the mark of a cloudlet:
#   owner                whose it is: lines "key value": name, bundle, inputs, secrets, applied
#   made                 what was not there before: "file", "folder" or "tree" and its path, parents first
#   files                paths of the guest's own files, of what is installed
#   images               ids of images that were not there before
#   payload-<…>.tar      a payload, complete and verified; .part is one on its way
#   payload.tar          a link to the one that counts
#   payload              written by cloudlet-bootstrap: the digest that is loaded
set -eu
umask 077
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

home=/var/lib/cloudlet

machine_has() {
    command -v "$1" >/dev/null 2>&1
}

# The same choice as cloudlet-bootstrap's.
machine_engine() {
    if machine_has docker && machine_has dockerd; then
        printf docker
    elif machine_has podman; then
        printf podman
    elif machine_has docker; then
        printf docker
    else
        printf none
    fi
}

# machine_room FOLDER: KiB in all and free, of the file system that holds it or will hold it.
machine_room() {
    room_folder=$1
    while [ ! -d "$room_folder" ]; do room_folder=$(dirname "$room_folder"); done
    df -Pk "$room_folder" | awk 'NR == 2 { print $2, $4 }'
}

# verb_look: all facts at once. Standard input asks besides: "path P", "listen PORT", "container NAME".
verb_look() {
    printf 'connection %s\n' "$connection"
    printf 'uid %s\narchitecture %s\ntime %s\n' "$(id -u)" "$(uname -m)" "$(date +%s)"
    printf 'memory %s\nvcpus %s\n' "$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)" "$(getconf _NPROCESSORS_ONLN 2>/dev/null || grep -c '^processor' /proc/cpuinfo)"
    printf 'disk %s\n' "$(machine_room "$home")"
    for look_tool in systemctl journalctl sha256sum base64 awk sed grep head tail tr cut df dd wc sync mktemp iptables iptables-restore ip6tables-restore; do
        machine_has "$look_tool" || printf 'lacks %s\n' "$look_tool"
    done
    [ ! -d /run/systemd/system ] || printf 'systemd yes\n'
    [ ! -d /proc/sys/net/ipv6 ] || printf 'ipv6 yes\n'
    look_engine=$(machine_engine)
    printf 'engine %s\n' "$look_engine"
    case $look_engine in
    docker)
        systemctl start docker.service >/dev/null 2>&1 || :
        look_store=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null) || look_store=''
        ;;
    podman) look_store=$(podman info --format '{{.Store.GraphRoot}}' 2>/dev/null) || look_store='' ;;
    *) look_store='' ;;
    esac
    [ -z "$look_store" ] || printf 'store %s\n' "$(machine_room "$look_store")"
    verb_mark
    # A cloudlet that is there has containers of these names itself.
    look_containers=''
    [ -e "$home/owner" ] || [ -z "$look_store" ] || look_containers=$("$look_engine" ps --all --format '{{.Names}}')
    while read -r look_kind look_word; do
        "look_$look_kind" "$look_word"
    done
}

# verb_mark: of the facts those that install.sh changes.
verb_mark() {
    [ ! -d "$home" ] || [ -e "$home/owner" ] || printf 'half yes\n'
    [ ! -e "$home/owner" ] || sed 's/^/owner /' "$home/owner"
    [ ! -e "$home/made" ] || sed 's/^/made /' "$home/made"
    [ ! -e "$home/images" ] || sed 's/^/image /' "$home/images"
    for mark_file in "$home"/payload-*; do
        [ ! -f "$mark_file" ] || printf 'payload %s %s\n' "${mark_file##*/}" "$(wc -c <"$mark_file")"
    done
    printf 'link %s\n' "$(readlink "$home/payload.tar" 2>/dev/null || :)"
}

look_path() {
    [ -e "$1" ] || [ -L "$1" ] || return 0
    [ -s "$1" ] && printf 'there full %s\n' "$1" || printf 'there empty %s\n' "$1"
}

# State 0A of proc(5)'s net/tcp: somebody listens.
look_listen() {
    ! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v wanted="$(printf '%04X' "$1")" '
        { count = split($2, at, ":"); if (at[count] == wanted && $4 == "0A") found = 1 }
        END { exit !found }' || printf 'listens %s\n' "$1"
}

look_container() {
    ! printf '%s\n' "$look_containers" | grep -qxF -- "$1" || printf 'container %s\n' "$1"
}

# made_add KIND PATH: notes what is not there yet, parents first, so that it can be taken away again.
made_add() {
    made_parents=''
    made_path=$(dirname "$2")
    while [ ! -d "$made_path" ]; do
        made_parents="folder $made_path
$made_parents"
        made_path=$(dirname "$made_path")
    done
    {
        printf '%s' "$made_parents"
        [ -e "$2" ] || printf '%s %s\n' "$1" "$2"
    } | while IFS= read -r made_line; do
        grep -qxF -e "$made_line" -e "tree ${made_line#folder }" "$home/made.new" || printf '%s\n' "$made_line" >>"$home/made.new"
    done
}

# verb_claim: makes the mark. Standard input: "owner KEY VALUE" lines; then "file P", "tree P" and "image ID" of what is to come.
verb_claim() {
    mkdir -p "$home" /var/lib
    chmod 700 "$home"
    cat "$home/made" >"$home/made.new" 2>/dev/null || :
    cat "$home/images" >"$home/images.new" 2>/dev/null || :
    claim_engine=$(machine_engine)
    : >"$home/owner.new"
    while read -r claim_kind claim_rest; do
        case $claim_kind in
        owner) printf '%s\n' "$claim_rest" >>"$home/owner.new" ;;
        image)
            grep -qxF -- "$claim_rest" "$home/images.new" || "$claim_engine" image inspect "${claim_rest#sha256:}" >/dev/null 2>&1 ||
                printf '%s\n' "$claim_rest" >>"$home/images.new"
            ;;
        *) made_add "$claim_kind" "$claim_rest" ;;
        esac
    done
    for claim_name in made images owner; do
        mv -f "$home/$claim_name.new" "$home/$claim_name"
    done
    sync
}

# owner_set KEY VALUE
owner_set() {
    {
        grep -v "^$1 " "$home/owner" || :
        printf '%s %s\n' "$1" "$2"
    } >"$home/owner.new"
    mv -f "$home/owner.new" "$home/owner"
    sync
}

# verb_take NAME OFFSET: standard input goes into the part from there on. What a cut run had started is stopped first, and
# what it wrote since the offset was asked for is cut off.
verb_take() {
    take_part=$home/payload-$1.tar.part
    take_other=$(cat "$take_part.pid" 2>/dev/null || :)
    if [ -n "$take_other" ] && [ "$(readlink "/proc/$take_other/fd/1" 2>/dev/null)" = "$take_part" ]; then
        kill "$take_other" 2>/dev/null || :
        sleep 1
    fi
    # POSIX: dd cuts the file off where it begins to write.
    dd if=/dev/null of="$take_part" bs=1 seek="$2" 2>/dev/null
    # What runs in the background is given no input unless it is told which.
    exec 3<&0
    cat <&3 >>"$take_part" &
    printf '%s\n' "$!" >"$take_part.pid"
    wait "$!"
    rm -f "$take_part.pid"
}

# verb_size NAME: how much of the payload is there.
verb_size() {
    size_file=$home/payload-$1.tar
    [ -f "$size_file" ] || size_file=$size_file.part
    if [ -f "$size_file" ]; then printf 'size %s\n' "$(wc -c <"$size_file")"; else printf 'size 0\n'; fi
}

# verb_settle NAME SIZE SHA256: what is there is the payload, or it is thrown away.
verb_settle() {
    settle_file=$home/payload-$1.tar
    if [ ! -f "$settle_file" ]; then
        if [ "$(wc -c <"$settle_file.part")" -ne "$2" ] || [ "$(sha256sum <"$settle_file.part" | cut -d ' ' -f 1)" != "$3" ]; then
            rm -f "$settle_file.part"
            printf 'settled no\n'
            return 0
        fi
        sync
        mv -f "$settle_file.part" "$settle_file"
    fi
    rm -f "$home/payload.link" "$settle_file.part" "$settle_file.part.pid"
    ln -s "payload-$1.tar" "$home/payload.link"
    mv -f "$home/payload.link" "$home/payload.tar"
    sync
    printf 'settled yes\n'
}

# verb_secrets DIGEST: standard input: for each a line with its path, and one with "keep" or "value BASE64". Values come
# this way only: printf is built in, so no process shows them.
verb_secrets() {
    while IFS= read -r secret_path && read -r secret_kind secret_value; do
        mkdir -p "$(dirname "$secret_path")"
        [ "$secret_kind" != keep ] || [ ! -e "$secret_path" ] || continue
        rm -f "$secret_path.cloudlet-new"
        printf '%s' "${secret_value-}" | base64 -d >"$secret_path.cloudlet-new"
        chmod 600 "$secret_path.cloudlet-new"
        mv -f "$secret_path.cloudlet-new" "$secret_path"
    done
    owner_set secrets "$1"
}

# verb_digests: of the paths on standard input: digest, mode with type, owner, path.
verb_digests() {
    while IFS= read -r digest_path; do
        if [ ! -f "$digest_path" ] || [ -L "$digest_path" ]; then continue; fi
        # shellcheck disable=SC2012 # stat(1) is spelled differently on every system; ls -n is POSIX
        printf 'file %s %s %s\n' "$(sha256sum <"$digest_path" | cut -d ' ' -f 1)" "$(ls -ldn -- "$digest_path" | awk '{ print substr($1, 1, 10), $3 ":" $4 }')" "$digest_path"
    done
    [ ! -e "$home/files" ] || sed 's/^/listed /' "$home/files"
}

# verb_files: standard input: "MODE SIZE PATH" lines, each followed by so many bytes, the last by "end". All are written
# beside their places before the first is renamed.
verb_files() {
    : >"$home/files.new"
    files_whole=no
    while IFS=' ' read -r files_mode files_size files_path; do
        [ "$files_mode" != end ] || { files_whole=yes; break; }
        files_folder=$(dirname "$files_path")
        # Folders of ours are for everybody to look into; what is in them has modes of its own.
        [ -d "$files_folder" ] || (umask 022 && mkdir -p "$files_folder")
        # Exactly so many bytes, which head(1) does not promise; a byte at a time where dd is old.
        dd bs="$files_size" count=1 iflag=fullblock 2>/dev/null >"$files_path.cloudlet-new" || dd bs=1 count="$files_size" 2>/dev/null >"$files_path.cloudlet-new"
        [ "$(wc -c <"$files_path.cloudlet-new")" -eq "$files_size" ] || return 1
        chmod "$files_mode" "$files_path.cloudlet-new"
        printf '%s\n' "$files_path" >>"$home/files.new"
    done
    [ "$files_whole" = yes ] || return 1
    sync
    # The list has both until all is renamed: what an uninstall finds then is complete.
    while IFS= read -r files_path; do
        mv -f "$files_path.cloudlet-new" "$files_path"
    done <"$home/files.new"
    [ ! -e "$home/files" ] || grep -vxF -f "$home/files.new" "$home/files" | while IFS= read -r files_path; do
        case $files_path in
        *@.service | *.env) ;;
        /etc/systemd/system/*) systemctl disable --now "${files_path##*/}" >/dev/null 2>&1 || : ;;
        esac
        rm -f "$files_path"
    done
    mv -f "$home/files.new" "$home/files"
    sync
}

# verb_units INPUTS: standard input: "unit NAME" of what is enabled, "role NAME" of what may run.
verb_units() {
    units='' roles=' '
    while read -r unit_kind unit_name; do
        case $unit_kind in
        unit) units="$units $unit_name" ;;
        role) roles="$roles$unit_name " ;;
        esac
    done
    systemctl daemon-reload
    unit_engine=$(machine_engine)
    for unit_name in $(machine_containers); do
        unit_role=${unit_name#*@}
        unit_role=${unit_role%.service}
        case $roles in *" $unit_role "*) continue ;; esac
        systemctl stop "$unit_name" || :
        "$unit_engine" rm --force "$unit_role" >/dev/null 2>&1 || :
    done
    # shellcheck disable=SC2086 # unit names, one word each
    systemctl enable --quiet $units
    rm -f /run/cloudlet/said
    for unit_name in $units; do
        case $unit_name in
        cloudlet-firewall.service) systemctl restart "$unit_name" ;;
        *) systemctl restart --no-block "$unit_name" ;;
        esac
    done
    owner_set applied "$1"
}

# machine_containers: units of containers that systemd knows of.
machine_containers() {
    systemctl list-units --all --plain --no-legend 'cloudlet-container@*' 2>/dev/null | awk '{ print $1 }'
}

# verb_again: a bootstrap that failed is started once more.
verb_again() {
    ! systemctl is-failed --quiet cloudlet-bootstrap.service || {
        rm -f /run/cloudlet/said
        systemctl restart --no-block cloudlet-bootstrap.service
    }
}

# verb_said: how the bootstrap stands, what it said last, and the end of its journal.
verb_said() {
    printf 'bootstrap %s\n' "$(systemctl is-active cloudlet-bootstrap.service 2>/dev/null || :)"
    [ ! -r /run/cloudlet/said ] || sed 's/^/said /' /run/cloudlet/said
    for said_unit in $(machine_containers); do
        printf 'container %s %s\n' "$said_unit" "$(systemctl is-active "$said_unit" || :)"
    done
    said_run=$(systemctl show --property InvocationID cloudlet-bootstrap.service 2>/dev/null | cut -d = -f 2)
    [ -z "$said_run" ] || journalctl --quiet --no-pager -o cat -n 40 "_SYSTEMD_INVOCATION_ID=$said_run" 2>/dev/null | sed 's/^/journal /'
}

# verb_finish: standard input: "payload NAME" and "image ID" of what stays; all other payloads and images of ours go.
verb_finish() {
    cat >"$home/keep"
    for finish_file in "$home"/payload-*; do
        finish_name=${finish_file##*/payload-}
        [ ! -f "$finish_file" ] || grep -qxF -- "payload ${finish_name%%.*}" "$home/keep" || rm -f "$finish_file"
    done
    finish_engine=$(machine_engine)
    while IFS= read -r finish_id; do
        grep -qxF -- "image $finish_id" "$home/keep" || "$finish_engine" image rm "${finish_id#sha256:}" >/dev/null 2>&1 || :
    done <"$home/images"
    rm -f "$home/keep"
}

# verb_remove: all that was made. The mark goes last, so that a run that was cut can be repeated.
verb_remove() {
    [ -d "$home" ] || return 0
    # A mark that was cut while it was made lacks some of them.
    touch "$home/made" "$home/images" "$home/files"
    remove_units=$(sed -n 's|^/etc/systemd/system/\([^@]*\)$|\1|p' "$home/files")
    for remove_unit in $remove_units; do
        systemctl disable --now "$remove_unit" >/dev/null 2>&1 || :
    done
    [ ! -x /usr/local/sbin/cloudlet-bootstrap ] || [ ! -r /etc/cloudlet/bootstrap.env ] || /usr/local/sbin/cloudlet-bootstrap remove >/dev/null 2>&1 || :
    for remove_unit in $(machine_containers); do systemctl stop "$remove_unit" >/dev/null 2>&1 || :; done
    remove_engine=$(machine_engine)
    while IFS= read -r remove_id; do
        "$remove_engine" image rm "${remove_id#sha256:}" >/dev/null 2>&1 || :
    done <"$home/images"
    # Children before parents.
    awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }' "$home/made" >"$home/undo"
    while read -r remove_kind remove_path; do
        case $remove_kind in
        file) rm -f -- "$remove_path" "$remove_path.cloudlet-new" ;;
        tree) rm -rf -- "$remove_path" ;;
        folder) rmdir -- "$remove_path" 2>/dev/null || : ;;
        esac
    done <"$home/undo"
    systemctl daemon-reload
    systemctl reset-failed 'cloudlet-*' >/dev/null 2>&1 || :
    rm -rf /run/cloudlet
    sync
    rm -rf "$home"
    sync
}

# verb_prove: standard input: "file", "folder" or "tree" and its path, "container NAME", "image ID". Prints "left WHAT" for what is there.
verb_prove() {
    prove_engine=$(machine_engine)
    while read -r prove_kind prove_word; do
        case $prove_kind in
        container) [ "$prove_engine" = none ] || ! "$prove_engine" container inspect "$prove_word" >/dev/null 2>&1 || printf 'left container %s\n' "$prove_word" ;;
        image) [ "$prove_engine" = none ] || ! "$prove_engine" image inspect "${prove_word#sha256:}" >/dev/null 2>&1 || printf 'left image %s\n' "$prove_word" ;;
        *) [ ! -e "$prove_word" ] && [ ! -L "$prove_word" ] || printf 'left %s %s\n' "$prove_kind" "$prove_word" ;;
        esac
    done
    [ ! -e "$home" ] || printf 'left folder %s\n' "$home"
    [ ! -e /run/cloudlet ] || printf 'left folder /run/cloudlet\n'
    systemctl list-units --all --plain --no-legend 'cloudlet-*' 2>/dev/null | awk '{ print "left unit " $1 }'
    systemctl list-unit-files --plain --no-legend 'cloudlet-*' 2>/dev/null | awk '{ print "left unit file " $1 }'
    for prove_tables in iptables ip6tables; do
        ! machine_has "$prove_tables" || "$prove_tables" -w -S 2>/dev/null | awk -v tables="$prove_tables" '/CLOUDLET-(IN|OUT)/ { print "left rule of " tables ": " $0 }'
    done
}

connection=$1
shift
machine_verb=$1
shift
"verb_$machine_verb" "$@"
printf 'end\n'
