# The way to the machine: SSH as strict as it can be, or none at all with --local.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# The master connection ends by itself so many seconds after the last use, should this run be killed.
ssh_linger=30

# ssh_open: what is asked for: sets ssh_address, ssh_port, ssh_user, ssh_identity, ssh_hosts, ssh_alias. False: findings tell why.
ssh_open() {
    ssh_address=$(parameter address "$CB_VP_ADDRESS")
    ssh_port=$(parameter port "$CB_VP_PORT")
    ssh_user=$(parameter user "$CB_VP_USER")
    ssh_identity=$(parameter identity '')
    ssh_found=$(findings_count)
    ssh_checked
    [ "$(findings_count)" = "$ssh_found" ] || return 1
    ssh_folder=$work/ssh
    # A socket's path has at most 104 characters on some systems, 17 of which ssh adds.
    [ "${#ssh_folder}" -le 80 ] || ssh_folder=$(mktemp -d /tmp/cloudlet-ssh.XXXXXX)
    [ -d "$ssh_folder" ] || mkdir "$ssh_folder"
    ssh_host_keys
}

ssh_checked() {
    case $ssh_address in
    '' | -* | *[!A-Za-z0-9.:_-]*) finding parameter/value "address is no host name or address: $ssh_address" "Give --parameter address=HOST." ;;
    esac
    case $ssh_user in
    '' | -* | *[!A-Za-z0-9._-]*) finding parameter/value "user is no user's name: $ssh_user" "Give --parameter user=NAME." ;;
    esac
    case $ssh_port in
    '' | *[!0-9]*) finding parameter/value "port is no number: $ssh_port" "Give --parameter port=NUMBER." ;;
    esac
    [ -z "$ssh_identity" ] || ssh_identity=$(arguments_absolute "$ssh_identity")
    [ -z "$ssh_identity" ] || [ -r "$ssh_identity" ] ||
        finding ssh/identity "the key file $ssh_identity can't be read" "Give --parameter identity=FILE, or none where ssh-agent holds the key."
}

# ssh_host_keys: which keys are trusted: those of the operator's file, of the pinned fingerprint, or of the bundle.
ssh_host_keys() {
    ssh_hosts=$ssh_folder/known_hosts ssh_alias=$CB_VP_HOST_KEY_ALIAS
    ssh_file=$(parameter known_hosts '')
    ssh_pin=$(parameter host_key '')
    if [ -n "$ssh_file" ]; then
        ssh_file=$(arguments_absolute "$ssh_file")
        # Such a file knows the machine by its address.
        ssh_alias=''
        cat "$ssh_file" >"$ssh_hosts" 2>/dev/null || {
            finding ssh/no-host-key "the file $ssh_file can't be read" "Give --parameter known_hosts=FILE."
            return 1
        }
    elif [ -n "$ssh_pin" ]; then
        ssh_pinned
    elif [ -n "$CB_VP_KNOWN_HOSTS" ]; then
        cp "$target_folder/$CB_VP_KNOWN_HOSTS" "$ssh_hosts"
    else
        finding ssh/no-host-key "nobody says which host key $ssh_address has, and an unknown one is never trusted" \
            "Get its fingerprint by another way (on the machine: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub): --parameter host_key=SHA256:…; or a file that has the key: --parameter known_hosts=FILE"
        return 1
    fi
}

# ssh_pinned: of the keys that the machine shows, the one that has the fingerprint. Showing it proves nothing yet: the
# connection does, which is made with that key alone. A busy machine shows some of its keys in time, or none: it is asked again.
ssh_pinned() {
    for ssh_try in 1 2 3; do
        ssh-keyscan -T 15 -p "$ssh_port" -- "$ssh_address" 2>/dev/null | sed -n 's/^[^# ][^ ]* //p' >"$ssh_folder/shown.$ssh_try" || :
        : >"$ssh_hosts"
        while IFS= read -r ssh_key; do
            printf '%s\n' "$ssh_key" >"$ssh_folder/one"
            [ "$(ssh-keygen -l -E sha256 -f "$ssh_folder/one" 2>/dev/null | cut -d' ' -f2)" != "$ssh_pin" ] ||
                printf '%s %s\n' "$ssh_alias" "$ssh_key" >>"$ssh_hosts"
        done <"$ssh_folder/shown.$ssh_try"
        [ ! -s "$ssh_hosts" ] || return 0
    done
    if cat "$ssh_folder"/shown.? | grep -q .; then
        finding ssh/host-key "$ssh_address shows no key with the fingerprint $ssh_pin" \
            "Somebody else answers at that address, or the fingerprint is not this machine's. Do not go on until you know."
    else
        finding ssh/unreachable "no SSH server shows its key at $ssh_address, port $ssh_port" "Is the machine on, the address right, and the port open?"
    fi
    return 1
}

# ssh_client ARG...: asks nobody, trusts no key that was not given, takes nothing from the operator's own configuration
# that would soften this; ways through other hosts (ProxyJump) may stand there.
ssh_client() {
    [ -z "$ssh_identity" ] || set -- -i "$ssh_identity" -o IdentitiesOnly=yes "$@"
    [ -z "$ssh_alias" ] || set -- -o "HostKeyAlias=$ssh_alias" "$@"
    ssh -T -p "$ssh_port" -l "$ssh_user" \
        -o IgnoreUnknown=KnownHostsCommand,RemoteCommand,UpdateHostKeys -o LogLevel=ERROR \
        -o BatchMode=yes -o StrictHostKeyChecking=yes -o "UserKnownHostsFile=$ssh_hosts" -o GlobalKnownHostsFile=/dev/null \
        -o KnownHostsCommand=none -o VerifyHostKeyDNS=no -o UpdateHostKeys=no -o CheckHostIP=no -o NoHostAuthenticationForLocalhost=no \
        -o ClearAllForwardings=yes -o ForwardAgent=no -o ForwardX11=no -o PermitLocalCommand=no -o RemoteCommand=none \
        -o ConnectTimeout=15 -o ConnectionAttempts=1 -o ServerAliveInterval=10 -o ServerAliveCountMax=3 \
        -o ControlMaster=auto -o "ControlPath=$ssh_folder/c" -o "ControlPersist=$ssh_linger" "$@"
}

# ssh_close: the master connection, at the end of this run.
ssh_close() {
    [ -n "${ssh_folder-}" ] || return 0
    [ ! -S "$ssh_folder/c" ] || ssh -o "ControlPath=$ssh_folder/c" -O exit -- "$ssh_address" >/dev/null 2>&1 || :
    rm -rf "$ssh_folder"
}

# ssh_shell ARG...: runs lib/vmpool-machine.sh there, which comes first on standard input; what follows is its data, of
# which dd must not read any: so exactly the script's bytes, one at a time where dd is old. The command is one for any
# login shell. ARG: words of letters, digits and _ . : - = only.
ssh_shell() {
    ssh_size=$(wc -c <"$here/lib/vmpool-machine.sh" | tr -d ' ')
    ssh_root=''
    [ "$ssh_user" = root ] || ssh_root='sudo -n '
    # shellcheck disable=SC2016 # expanded there
    ssh_client -- "$ssh_address" "exec ${ssh_root}sh -c 'eval \"\$(dd bs=$ssh_size count=1 iflag=fullblock 2>/dev/null || dd bs=1 count=$ssh_size 2>/dev/null)\"' machine \"\$SSH_CONNECTION\" $*"
}

# machine NAME VERB ARG...: runs a verb on the machine with standard input; its lines are in $work/NAME, errors in
# $work/NAME.error. False if it did not come to its end.
machine() {
    machine_out=$work/$1
    shift
    machine_status=0
    : >"$machine_out"
    if [ "$on_machine" = yes ]; then
        sh -c "$(cat "$here/lib/vmpool-machine.sh")" machine local "$@" >"$machine_out.raw" 2>"$machine_out.error" || machine_status=$?
    else
        { cat "$here/lib/vmpool-machine.sh" && cat; } | ssh_shell "$@" >"$machine_out.raw" 2>"$machine_out.error" || machine_status=$?
    fi
    # Whatever the machine is: nothing that it says may reach the terminal as a command to it.
    LC_ALL=C tr -d '\000-\010\013-\037\177' <"$machine_out.raw" >"$machine_out"
    [ "$machine_status" = 0 ] && [ "$(tail -n 1 "$machine_out")" = end ]
}

# machine_must NAME WHAT VERB ARG...: as machine; ends the run if it fails. What is done so far is in the journal.
machine_must() {
    machine_name=$1 machine_what=$2
    shift 2
    machine "$machine_name" "$@" || trouble_stop "$machine_name" "$machine_what"
}

# fact NAME KEY: the value of a line "KEY value" in the answer, the first one.
fact() {
    sed -n "s/^$2 //p" "$work/$1" | head -n 1
}

# number NAME KEY: as fact, for arithmetic, which in some shells would run what is no number.
number() {
    number_text=$(fact "$1" "$2" | LC_ALL=C tr -cd '0-9')
    printf '%s' "${number_text:-0}"
}

# numbers NAME KEY: the same of several, one word each.
numbers() {
    fact "$1" "$2" | LC_ALL=C tr -cd '0-9 '
}

# trouble NAME: what an error of ssh or of the machine means: sets trouble_code, trouble_what, trouble_do.
trouble() {
    trouble_file=$work/$1.error
    trouble_what=$(grep -v '^[[:space:]]*$' "$trouble_file" | grep -v '^@' | tail -n 1 | LC_ALL=C tr '\t' ' ' | LC_ALL=C tr -d '\000-\010\013-\037\177' | cut -c1-300 | secrets_hide)
    trouble_what=${trouble_what:-the connection ended with status $machine_status, without a word}
    while IFS='|' read -r trouble_code trouble_pattern trouble_do; do
        ! LC_ALL=C grep -Eiq "$(printf '%s' "$trouble_pattern" | tr '!' '|')" "$trouble_file" || return 0
    done <<'TABLE'
ssh/host-key|host key verification failed!identification has changed!host key is known!revoked host key|The machine shows another host key than the bundle, the file or the fingerprint says. Somebody else may answer at that address: do not go on until you know why. If the machine was made anew, get its new key by another way: --parameter host_key=SHA256:…
ssh/login|permission denied!too many authentication failures!no supported authentication|The machine lets this user in with none of the keys. See that ssh-agent holds the right one (ssh-add -l), or give --parameter identity=FILE; the user is set with --parameter user=NAME.
ssh/no-sudo|sudo: a password!sudo: a terminal!sudo: not found!sudo: command not found!sudo: sorry!no tty present!not in the sudoers!not allowed to execute!may not run sudo!no new privileges|The user must be able to run anything as root without being asked: on the machine, as root: printf 'USER ALL=(ALL) NOPASSWD: ALL\n' >/etc/sudoers.d/cloudlet. Or log in as root: --parameter user=root
ssh/unreachable|could not resolve hostname!connection refused!timed out!timeout!no route to host!network is unreachable|Is the machine on, the address right (--parameter address=HOST, port=NUMBER), and SSH open to this host?
ssh/cut|broken pipe!connection reset!connection closed!closed by remote!connection to .* closed!mux_client!control socket|The connection was cut. Run the same command again: what has arrived is kept.
host/disk-full|no space left|Free some space on the machine, then run this again.
TABLE
    trouble_code=host/refused
    trouble_do='That is what the machine itself says. What was done so far is recorded: run the same command again to go on.'
}

# trouble_finding NAME SUBJECT
trouble_finding() {
    trouble "$1"
    finding "$trouble_code" "$2: $trouble_what" "$trouble_do"
}

# trouble_stop NAME SUBJECT
trouble_stop() {
    trouble "$1"
    stop 3 "$trouble_code" "$2: $trouble_what" "$trouble_do"
}
