# Questions to the cloud, through its own client, and what its answers mean.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# A question costs a second of Python start-up, so questions go four at a time. The client's batch mode would be faster
# still, but it reads its commands from a stream where a network called "!reboot" or "a | sh" is run.

# client ARG...: in UTF-8 whatever the locale, without Python's deprecation warnings, and never asking for a password.
client() {
    PYTHONUTF8=1 PYTHONIOENCODING=utf-8 PYTHONWARNINGS=ignore openstack "$@" </dev/null
}

# ask NAME ARG...: in the background; the answer is in $work/NAME, the error in NAME.error, the status in NAME.status.
ask() {
    ask_name=$work/$1
    shift
    {
        client "$@" >"$ask_name" 2>"$ask_name.error" && ask_status=0 || ask_status=$?
        printf '%s' "$ask_status" >"$ask_name.status"
    } &
    asked=$((${asked-0} + 1))
    [ $((asked % 4)) -ne 0 ] || wait
}

# asked_all: until every answer is there.
asked_all() {
    wait
    asked=0
}

# answered NAME: true if the client succeeded.
answered() {
    [ "$(cat "$work/$1.status" 2>/dev/null)" = 0 ]
}

# answer NAME KEY: a value out of the client's "-f shell" form, KEY="value"; lines of a longer one are joined.
answer() {
    LC_ALL=C awk -v key="$2" '
        !inside && index($0, key "=\"") == 1 { inside = 1; $0 = substr($0, length(key) + 3) }
        inside {
            last = sub(/"$/, "")
            gsub(/\\"/, "\"")
            text = text (n++ ? " " : "") $0
            if (last) exit
        }
        END { print text }' "$work/$1"
}

# property_of NAME KEY: out of the answer's properties, which the client writes as 'key': 'value' or key='value'.
property_of() {
    answer "$1" properties | LC_ALL=C awk -v key="$2" '
        { gsub(/[,{}]/, "\n"); n = split($0, pair, "\n")
          for (i = 1; i <= n; i++) {
              text = pair[i]; gsub(/^ +| +$/, "", text); gsub(/["\047]/, "", text)
              if (index(text, key ": ") == 1 || index(text, key "=") == 1) {
                  value = substr(text, length(key) + 2); sub(/^ /, "", value); print value; exit
              } } }'
}

# not_found NAME: the client says that there is no such thing, in one of its phrasings.
not_found() {
    LC_ALL=C grep -Eiq 'not found|could not be found|no .* found|no .* exists|HTTP 404|more than one' "$work/$1.error"
}

# change NAME TEXT ARG...: a command that changes something. It runs beside this script, so that progress can be shown
# and an interruption reaches it; its process is noted, so that a later run can tell it from a stranger.
change() {
    change_name=$work/$1
    change_text=$2
    shift 2
    env PYTHONUTF8=1 PYTHONIOENCODING=utf-8 PYTHONWARNINGS=ignore openstack "$@" \
        </dev/null >"$change_name" 2>"$change_name.error" &
    child=$!
    printf '%s %s\n' "$child" "$(process_born "$child")" >"$state/lock/child"
    change_began=$(seconds)
    while kill -0 "$child" 2>/dev/null; do
        progress "$change_text$(change_progress)"
        sleep 1
    done
    change_status=0
    wait "$child" || change_status=$?
    child=''
    rm -f "$state/lock/child"
    progress_end
    return "$change_status"
}

# change_progress: seconds, and how much of $change_file the client has read, where one can see it.
change_progress() {
    change_seconds=$(($(seconds) - change_began))
    change_read=''
    [ -z "${change_file-}" ] || change_read=$(bytes_read "$child" "$change_file")
    if [ -n "$change_read" ]; then
        printf ': %s of %s MiB, %s s' "$(mebibytes "$change_read")" "$(mebibytes "$change_size")" "$change_seconds"
    else
        printf ': %s s' "$change_seconds"
    fi
}

# trouble NAME: what an error of the client means: sets trouble_code, trouble_what, trouble_do.
trouble() {
    trouble_file=$work/$1.error
    trouble_what=$(grep -v '^[[:space:]]*$' "$trouble_file" | tail -n 1 | cut -c1-400 | tr '\t' ' ' | secrets_hide)
    trouble_what=${trouble_what:-the client said nothing and ended with status $(cat "$work/$1.status" 2>/dev/null || :)}
    while IFS='|' read -r trouble_code trouble_pattern trouble_do; do
        ! LC_ALL=C grep -Eiq "$(printf '%s' "$trouble_pattern" | tr '!' '|')" "$trouble_file" || return 0
    done <<'END'
client/no-heat|is not an openstack command|Install the Heat plugin of the client: python3-heatclient (pip: python-heatclient).
credentials/missing|missing value auth.url!auth_url!Auth plugin requires parameters!missing value .* required for auth|Load the project's openrc (. openrc), or set OS_CLOUD with a clouds.yaml.
credentials/no-cloud|^Cloud .* was not found|OS_CLOUD names no entry of clouds.yaml; see OS_CLIENT_CONFIG_FILE.
credentials/refused|HTTP 401!requires authentication|User, password, project or their domains are wrong, or an application credential has expired. Check OS_USERNAME, OS_PROJECT_NAME, OS_USER_DOMAIN_NAME and OS_PASSWORD.
endpoint/tls|certificate verify failed!SSLError!SSL exception|Give the cloud's CA with OS_CACERT=FILE (not --insecure).
endpoint/unreachable|Unable to establish connection!Name or service not known!timed out!Connection refused!No route to host!Max retries|Is OS_AUTH_URL right, and can this machine reach it? Look at proxies (http_proxy, no_proxy), names (/etc/hosts) and the firewall.
endpoint/none|endpoint .* not found!endpoint for .* in .* region|The cloud's catalogue lists no such service in this region. Check OS_REGION_NAME, and that Heat, Glance, Nova, Neutron and Cinder are offered.
address/forbidden|create_port:fixed_ips|Neutron's default policy lets only the owner of a network choose an address on it. Have the network's owner make it yours, have the policy changed, or ask for a bundle with dhcp on this network.
quota/exceeded|quota!OverLimit!exceeds allowed|Free something in the project, or ask its administrator for more; ./install.sh --check shows the arithmetic.
credentials/forbidden|HTTP 403!forbidden!not authorized!disallowed by policy|The account lacks a role in this project. Ask for 'member', and for what the cloud wants for Heat ('heat_stack_owner' on old ones).
heat/trust|trust!HTTP 500!Internal Server Error!Internal Error|Heat makes a trust for its owner. With an application credential Keystone may refuse that, which Heat reports as error 500. Log in with user and password, or have the cloud allow it (docs: OpenStack, troubleshooting). With a password: ask the cloud's administrator to look at Heat's log.
image/too-large|HTTP 413!Request Entity Too Large!exceeds.*image|The cloud does not take images of this size (image_size_cap, or a quota of the project). Ask its administrator.
END
    trouble_code=cloud/refused
    trouble_do='That is the answer of the cloud itself. If it is not clear, show it to its administrator; then run this again.'
}

# trouble_finding NAME SUBJECT: an error of the client as a finding.
trouble_finding() {
    trouble "$1"
    finding "$trouble_code" "$2: $trouble_what" "$trouble_do"
}

# trouble_stop NAME SUBJECT: an error of the client as the end. What is done so far is in the journal.
trouble_stop() {
    trouble "$1"
    stop 3 "$trouble_code" "$2: $trouble_what" "$trouble_do
What was done so far is recorded: run the same command again to go on."
}
