# Questions to vCenter, through govc, and what its answers mean.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# Where things are is said by the bundle and by --parameter; what a shell has left in the environment must not decide. Debug
# and trace files would hold what the VM is told, secrets with it.
unset GOVC_DATACENTER GOVC_DATASTORE GOVC_FOLDER GOVC_RESOURCE_POOL GOVC_CLUSTER GOVC_HOST GOVC_NETWORK GOVC_VM GOVC_VM_FOLDER \
    GOVC_GUEST_LOGIN GOVC_SHOW_UNRELEASED GOVC_DEBUG GOVC_DEBUG_FORMAT GOVC_DEBUG_PATH GOVC_DEBUG_PATH_RUN GOVC_TRACE GOVC_VERBOSE GOVC_DUMP

# client ARG...: one session for the whole run, kept in this run's own folder.
client() {
    GOVMOMI_HOME=$work/govmomi GOVC_PERSIST_SESSION=true
    export GOVMOMI_HOME GOVC_PERSIST_SESSION
    govc "$@" </dev/null
}

# ask NAME ARG...: the answer is in $work/NAME, the error in NAME.error; true if govc succeeded.
ask() {
    ask_name=$1
    shift
    ask_status=0
    client "$@" >"$work/$ask_name" 2>"$work/$ask_name.error" || ask_status=$?
    return "$ask_status"
}

# collect NAME OBJECT PROPERTY...: then collected NAME PROPERTY has a value. govc writes name, type, value in columns.
collect() {
    collect_name=$1
    shift
    ask "$collect_name" object.collect "$@"
}

collected() {
    LC_ALL=C awk -v name="$2" '$1 == name { sub(/^[^ ]+ +[^ ]+ */, ""); sub(/ +$/, ""); print; exit }' "$work/$1"
}

# glob TEXT: govc takes [ ] * ? in a path for a pattern.
glob() {
    printf '%s' "$1" | sed 's/[][*?]/\\&/g'
}

# ask_list NAME ROOT KIND...: paths of all things of these kinds below ROOT.
ask_list() {
    list_name=$1 list_root=$2
    shift 2
    : >"$work/$list_name"
    for list_kind in "$@"; do
        ask list-kind find -type "$list_kind" "$(glob "$list_root")" || {
            cp "$work/list-kind.error" "$work/$list_name.error"
            return 1
        }
        cat "$work/list-kind" >>"$work/$list_name"
    done
    LC_ALL=C sort -u -o "$work/$list_name" "$work/$list_name"
}

# listed NAME TEXT: of those, the ones that are called so, or whose path ends so.
listed() {
    wanted=/$2 LC_ALL=C awk '
        BEGIN { wanted = ENVIRON["wanted"] }
        length($0) >= length(wanted) && substr($0, length($0) - length(wanted) + 1) == wanted' "$work/$1"
}

# change NAME TEXT ARG...: a command that changes something. It runs beside this script, so that progress can be shown and an
# interruption reaches it; its process is noted, so that a later run can tell it from a stranger.
change() {
    change_name=$1 change_text=$2
    shift 2
    GOVMOMI_HOME=$work/govmomi GOVC_PERSIST_SESSION=true govc "$@" </dev/null >"$work/$change_name" 2>"$work/$change_name.error" &
    child=$!
    printf '%s %s\n' "$child" "$(process_born "$child")" >"$state/lock/child"
    change_began=$(seconds)
    # Short ones are waited for without a second lost.
    change_tick=0
    while kill -0 "$child" 2>/dev/null; do
        progress "$change_text$(change_sent): $(($(seconds) - change_began)) s"
        change_tick=$((change_tick + 1))
        if [ "$change_tick" -le 10 ]; then sleep 0.1 2>/dev/null || sleep 1; else sleep 1; fi
    done
    change_status=0
    wait "$child" || change_status=$?
    child=''
    rm -f "$state/lock/child"
    progress_end
    return "$change_status"
}

# change_sent: how much of the disk that is on its way has been read, where one can see it.
change_sent() {
    for sent_file in ${change_files-}; do
        sent_read=$(bytes_read "$child" "$here/$sent_file") || sent_read=''
        [ -z "$sent_read" ] || printf ' %s, %s of %s MiB' "${sent_file##*/}" "$(mebibytes "$sent_read")" "$(mebibytes "$(($(wc -c <"$here/$sent_file")))")"
    done
}

# trouble NAME: what an error of govc's means: sets trouble_code, trouble_what, trouble_do.
trouble() {
    trouble_what=$(grep -v '^[[:space:]]*$' "$work/$1.error" | tail -n 1 | cut -c1-400 | tr '\t\r' '  ' | secrets_hide)
    trouble_what=${trouble_what:-govc said nothing}
    while IFS='|' read -r trouble_code trouble_pattern trouble_do; do
        ! LC_ALL=C grep -Eiq "$(printf '%s' "$trouble_pattern" | tr '!' '|')" "$work/$1.error" || return 0
    done <<'END'
credentials/missing|specify an ESX or vCenter URL|Set GOVC_URL (vcenter.example.net), GOVC_USERNAME and GOVC_PASSWORD.
credentials/refused|incorrect user name or password!InvalidLogin!Login failure!401 Unauthorized|User or password is wrong, or the account is locked. Check GOVC_USERNAME (user@domain) and GOVC_PASSWORD.
endpoint/tls|x509:!certificate!tls: !TLS handshake!self.signed!thumbprint|Give the CA of vCenter with GOVC_TLS_CA_CERTS=FILE (https://VCENTER/certs/download.zip), or what you know its certificate by with GOVC_TLS_KNOWN_HOSTS=FILE (a line: VCENTER:443 THUMBPRINT). Verification is not switched off here.
endpoint/unreachable|connection refused!connection reset!no such host!i/o timeout!no route to host!network is unreachable!Client.Timeout!deadline exceeded!connect: !: EOF$|Is GOVC_URL right, and can this machine reach it? Look at names (/etc/hosts), proxies (https_proxy, no_proxy) and the firewall: TCP 443 of vCenter, and of the ESXi hosts for the disks.
credentials/forbidden|NoPermission!Permission to perform this operation was denied!not authorized!403 Forbidden!UNAUTHORIZED|The account lacks a privilege there. docs: vSphere, Privileges, has the list; ./install.sh --check says which.
datastore/full|insufficient disk space!no space left!InsufficientStorage!not enough space|Free some of the datastore, or give another: --parameter datastore=NAME
vm/name-taken|already exists!DuplicateName|Somebody has made a thing of that name in the meantime. Rename it, and run this again.
host/no-room|InsufficientResources!insufficient resources!NoCompatibleHost!No host is compatible|The cluster has no room for the VM now. Free CPU and memory, or look at its admission control.
END
    trouble_code=vcenter/refused
    trouble_do='That is the answer of vCenter itself. If it is not clear, show it to its administrator; then run this again.'
}

# trouble_finding NAME SUBJECT: an error of govc's as a finding.
trouble_finding() {
    trouble "$1"
    finding "$trouble_code" "$2: $trouble_what" "$trouble_do"
}

# trouble_stop NAME SUBJECT: an error of govc's as the end. What is done so far is in the journal.
trouble_stop() {
    trouble "$1"
    stop 3 "$trouble_code" "$2: $trouble_what" "$trouble_do
What was done so far is recorded: run the same command again to go on."
}
