# The API by curl: session, one call, tasks, and what an error means.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
#
# Names in quotes are operations of VMware's "VMware Cloud Director API" (XML) and "OpenAPI" references, which list each with its
# path, media types and bodies, or headings of its "VMware Cloud Director API Programming Guide", which tells what they mean.
# Addresses come from links in the answers where there is one; sections and actions of an entity stand below its own address.

api_oldest=33.0
api_newest=40.0
# Of the XML API: bodies are application/vnd.vmware.…+xml, answers whatever of that kind.
api_kind=application/vnd.vmware

# api_login: who we are, from the environment. The password leaves it, so that no process inherits it.
api_login() {
    [ -z "${api_user_known-}" ] || return 0
    api_user_known=yes
    vcd_user=${VCD_USER-} vcd_password=${VCD_PASSWORD-} vcd_token=${VCD_TOKEN-}
    unset VCD_PASSWORD VCD_TOKEN
    vcd_url=$(parameter url "${VCD_URL:-$CB_VCD_URL}")
    vcd_url=${vcd_url%/}
    vcd_url=${vcd_url%/api}
    vcd_org=$(parameter org "${VCD_ORG:-$CB_VCD_ORG}")
    api_version='' api_session='' api_session_link=''
}

# curl_line OPTION VALUE: of curl's configuration; within quotes the quote and the backslash are escaped (curl(1), --config).
curl_line() {
    case $2 in
    *[\"\\]*) printf '%s = "%s"\n' "$1" "$(printf '%s' "$2" | sed 's/\\/\\\\/g; s/"/\\"/g')" ;;
    *) printf '%s = "%s"\n' "$1" "$2" ;;
    esac
}

# curl_common: what every request has. Only what the operator has asked for makes it insecure.
curl_common() {
    # Brackets and braces in addresses and names of files are what they are.
    printf 'silent\nshow-error\ngloboff\nconnect-timeout = 20\n'
    curl_line proto '=https'
    [ -z "${VCD_CACERT-}" ] || curl_line cacert "$VCD_CACERT"
    [ "${VCD_INSECURE-}" != true ] || printf 'insecure\n'
    # The server answers to PUT at once or not at all; waiting for "100 Continue" costs a second each time.
    curl_line header 'Expect:'
}

# curl_with NAME WORD...: the words print a configuration, which goes to curl's standard input; so tokens and passwords are in
# no argument. The body is in $work/NAME, the headers in NAME.headers, the error in NAME.error; sets api_status, 000 where there
# was no answer.
curl_with() {
    curl_name=$work/$1
    shift
    rm -f "$curl_name" "$curl_name.rows"
    "$@" | curl -q -K - -o "$curl_name" -D "$curl_name.headers" -w '%{http_code}' >"$curl_name.status" 2>"$curl_name.error" || :
    # Without a line's end, which read tells and still reads.
    IFS= read -r api_status <"$curl_name.status" || :
    api_status=${api_status:-000}
}

# header_of NAME HEADER: the last one, for proxies put theirs before.
header_of() {
    tr -d '\r' <"$work/$1.headers" | awk -v want="$2:" 'tolower($1) == tolower(want) { sub(/^[^:]*: */, ""); value = $0 } END { print value }'
}

# json_member FILE NAME: a string of that name, the last one. What is asked for is there once, and has no escapes that matter.
json_member() {
    tr -d '\n' <"$1" | sed -n "s/.*\"$2\"[[:space:]]*:[[:space:]]*\"\([^\"]*\)\".*/\1/p"
}

# api_versions: GET /api/versions. Of those that both sides know the newest.
api_versions() {
    curl_with versions curl_get "$vcd_url/api/versions" 'Accept: application/*+xml'
    [ "$api_status" = 200 ] || return 1
    xml_rows "$work/versions" >"$work/versions.rows"
    api_version=$(rows_pick "$work/versions.rows" /VersionInfo/Version . | awk -v low="$api_oldest" -v high="$api_newest" '
        /^[0-9]+\.[0-9]+$/ && $1 + 0 >= low + 0 && $1 + 0 <= high + 0 && $1 + 0 > best + 0 { best = $1 } END { print best }')
}

# api_open: a session. POST /cloudapi/1.0.0/sessions with Basic authentication of USER@ORG (OpenAPI, "Sessions"); where it is
# not offered, POST /api/sessions, "Login". With an API token, POST /oauth/tenant/ORG/token ("Generate an API Access Token").
api_open() {
    api_session=''
    if [ -n "$vcd_token" ]; then
        curl_with session curl_token
        [ "$api_status" != 200 ] || api_session=$(json_member "$work/session" access_token)
    else
        curl_with session curl_login "application/json;version=$api_version" /cloudapi/1.0.0/sessions
        case $api_status in
        404 | 405 | 406) curl_with session curl_login "application/*+xml;version=$api_version" /api/sessions ;;
        esac
        case $api_status in
        2??)
            api_session=$(header_of session x-vmware-vcloud-access-token)
            # The answer names more than the session.
            api_session_urn=$(sed -n 's/.*"\(urn:vcloud:session:[^"]*\)".*/\1/p' "$work/session" | head -n 1)
            api_session_link=$vcd_url/api/session
            [ -z "$api_session_urn" ] || api_session_link=$vcd_url/cloudapi/1.0.0/sessions/$api_session_urn
            ;;
        esac
    fi
    # The answer to a login has the token in it.
    [ -z "$api_session" ] || rm -f "$work/session.headers" "$work/session"
    [ -n "$api_session" ]
}

# curl_get URL HEADER
curl_get() {
    curl_common
    curl_line header "$2"
    curl_line url "$1"
}

curl_token() {
    curl_common
    curl_line header 'Accept: application/json'
    curl_line data-urlencode 'grant_type=refresh_token'
    curl_line data-urlencode "refresh_token=$vcd_token"
    curl_line url "$vcd_url/oauth/tenant/$vcd_org/token"
}

# curl_login ACCEPT PATH
curl_login() {
    curl_common
    curl_line header "Accept: $1"
    curl_line user "$vcd_user@$vcd_org:$vcd_password"
    curl_empty_post
    curl_line url "$vcd_url$2"
}

# curl_empty_post: with a length of 0 and no type, which it has not.
curl_empty_post() {
    curl_line request POST
    curl_line data ''
    curl_line header 'Content-Type:'
}

# api_close: DELETE of the session. One that is left ends by itself; an access token of an API token has no session of ours.
api_close() {
    [ -n "${api_session-}" ] && [ -n "$api_session_link" ] && [ -d "$work" ] || return 0
    curl_with closed curl_call '*/*' DELETE "$api_session_link"
    api_session=''
}

# api NAME METHOD URL [TYPE BODY-FILE]: true if the server did it; the answer's rows are in $work/NAME.rows. A session that
# has expired is opened anew, once.
api() {
    api_call "$@"
    if [ "$api_status" = 401 ] && [ -n "$api_session" ]; then
        api_open && api_call "$@" || api_status=401
    fi
    case $api_status in 2??) return 0 ;; *) return 1 ;; esac
}

api_call() {
    api_name=$1
    shift
    curl_with "$api_name" curl_call 'application/*+xml' "$@"
    # 204 has no body.
    if [ -s "$work/$api_name" ]; then xml_rows "$work/$api_name" >"$work/$api_name.rows"; else : >"$work/$api_name.rows"; fi
}

# curl_call KIND METHOD URL [TYPE BODY-FILE]
curl_call() {
    curl_common
    curl_line header "Authorization: Bearer $api_session"
    curl_line header "Accept: $1;version=$api_version"
    if [ -n "${4-}" ]; then
        curl_line request "$2"
        curl_line header "Content-Type: $api_kind.$4+xml"
        curl_line data-binary "@$5"
    elif [ "$2" = POST ]; then
        curl_empty_post
    else
        curl_line request "$2"
    fi
    curl_line url "$3"
}

# api_need WHAT NAME METHOD URL [TYPE BODY-FILE]: the same, or the end of the run.
api_need() {
    api_doing=$1
    shift
    api "$@" || trouble_stop "$1" "$api_doing"
}

# task_wait NAME TEXT [SECONDS]: until the tasks of an answer are done. The answer is a Task, or has some. False if one of them
# failed, $work/task has it then; also if it takes longer than SECONDS.
task_wait() {
    task_began=$(seconds)
    rows_pick "$work/$1.rows" /Task href >"$work/tasks"
    while IFS= read -r task_link <&3; do
        [ -n "$task_link" ] || continue
        while :; do
            api_need "asking how far '$2' is" task GET "$task_link"
            case $(rows_pick "$work/task.rows" /Task status | head -n 1) in
            success) break ;;
            error | aborted | canceled) return 1 ;;
            esac
            [ -z "${3-}" ] || [ $(($(seconds) - task_began)) -lt "$3" ] || return 1
            task_progress=$(rows_pick "$work/task.rows" /Task/Progress . | head -n 1)
            progress "$2${task_progress:+: $task_progress %}, $(($(seconds) - task_began)) s"
            sleep 1
        done
    done 3<"$work/tasks"
    progress_end
}

# task_need NAME TEXT: the same, or the end of the run.
task_need() {
    task_wait "$1" "$2" || trouble_stop task "$2"
}

# trouble NAME: what an answer means: sets trouble_code, trouble_what, trouble_do. Errors have a message and, in words that are
# the same in every language, a minorErrorCode (API Programming Guide, "Errors and Status Codes").
trouble() {
    trouble_file=$work/$1
    trouble_message=$(rows_pick "$trouble_file.rows" /Error message 2>/dev/null | head -n 1)
    trouble_minor=$(rows_pick "$trouble_file.rows" /Error minorErrorCode 2>/dev/null | head -n 1)
    # OpenAPI answers in JSON.
    [ -n "$trouble_message" ] || [ ! -f "$trouble_file" ] || trouble_message=$(json_member "$trouble_file" message)
    # curl says what it is in its first line, and where to read about it in others.
    trouble_what=$(printf '%s' "${trouble_message:-$(head -n 1 "$trouble_file.error" 2>/dev/null)}" |
        LC_ALL=C tr '\000-\037\177' ' ' | cut -c1-400 | secrets_hide)
    trouble_what=${trouble_what:-HTTP status $api_status and no reason}
    printf '%s %s %s\n' "HTTP-$api_status" "$trouble_minor" "$trouble_what" >"$work/trouble"
    while IFS='|' read -r trouble_code trouble_pattern trouble_do; do
        ! LC_ALL=C grep -Eiq "$(printf '%s' "$trouble_pattern" | tr '!' '|')" "$work/trouble" || return 0
    done <<'END'
endpoint/tls|^HTTP-000 .*(certificate!SSL!TLS)|Give the CA that signed its certificate: VCD_CACERT=FILE. Where that can't be had and you know the network: VCD_INSECURE=true.
endpoint/unreachable|^HTTP-000 |Is the URL right, and can this machine reach it? Look at proxies (https_proxy, no_proxy), names (/etc/hosts) and the firewall.
credentials/refused|^HTTP-401 |User, password or organization are wrong, or the token has been revoked: VCD_USER, VCD_PASSWORD or VCD_TOKEN, VCD_ORG.
credentials/forbidden|^HTTP-403 !ACCESS_TO_RESOURCE_IS_FORBIDDEN!OPERATION_DENIED|The role of this user lacks a right for it. Needed are those of 'vApp Author': to add to the catalog, and to make, edit, start and delete vApps.
vcd/name-taken|DUPLICATE_NAME!already (exists!in use).*name!name.*already|Something of that name is there and no bundle made it. Rename or remove it.
address/taken|IP address.*(in use!allocated!already)|Somebody else has that address. Free it, or ask for a bundle with another one.
quota/exceeded|LIMIT_EXCEEDED!QUOTA!exceed!insufficient!not enough!no space|The virtual datacenter has no room for it. Ask its administrator, or free some.
vcd/busy|BUSY_ENTITY!is busy|Somebody else is at work on it. Wait, then run this again.
cloud/refused|.|
END
    trouble_code=cloud/refused trouble_do=''
}

# trouble_finding NAME DOING, trouble_stop NAME DOING
trouble_finding() {
    trouble "$1"
    finding "$trouble_code" "$2: $trouble_what" "$trouble_do"
}

trouble_stop() {
    trouble "$1"
    stop 3 "$trouble_code" "$2: $trouble_what" "${trouble_do:+$trouble_do
}What was done is recorded; run this again to go on."
}
