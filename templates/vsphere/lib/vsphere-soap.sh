# Calls of vCenter's web services API that govc has no command for, over `openssl s_client`, in the session that govc has.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
#
# Two of them: FetchUserPrivilegeOnEntities (AuthorizationManager), and ReconfigVM_Task (VirtualMachine) where govc takes
# advanced parameters as arguments only, which every user of this machine could read in `ps`.
# Source: vSphere Web Services API reference, the pages of those two methods.

# soap_open: sets soap_host, soap_port, soap_path, soap_cookie from the session that govc keeps in $work; false without one.
soap_open() {
    soap_file=''
    for soap_file in "$work"/govmomi/sessions/*; do [ ! -f "$soap_file" ] || break; done
    [ -f "$soap_file" ] || return 1
    json_flat <"$soap_file" >"$work/session"
    soap_cookie=$(json_value "$work/session" soapclient.cookies.0.name)=$(json_value "$work/session" soapclient.cookies.0.value)
    soap_host=$(json_value "$work/session" soapclient.url.host)
    soap_path=$(json_value "$work/session" soapclient.url.path)
    rm -f "$work/session"
    soap_port=443
    case $soap_host in
    *\]:* | *[!:]:[0-9]*) soap_port=${soap_host##*:} soap_host=${soap_host%:*} ;;
    esac
    [ "$soap_cookie" != = ] && [ -n "$soap_host" ]
}

# soap NAME <BODY: sends one call; the answer is in $work/NAME. The body goes through a pipe, never as an argument. False if
# there was no answer, or a fault: then NAME.error says what.
soap() {
    {
        printf '<?xml version="1.0" encoding="UTF-8"?>\n<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><Body>'
        cat
        printf '</Body></Envelope>'
    } >"$work/soap-body"
    soap_call=$1
    tls_words "$soap_host" "$soap_port" >"$work/tls-words" || {
        rm -f "$work/soap-body"
        printf 'x509: the certificate is not the one in GOVC_TLS_KNOWN_HOSTS\n' >"$work/$soap_call.error"
        return 1
    }
    set --
    while IFS= read -r soap_word; do set -- "$@" "$soap_word"; done <"$work/tls-words"
    soap_status=0
    {
        # printf is built into the shell, so no process shows the cookie.
        printf 'POST %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\nContent-Type: text/xml; charset=utf-8\r\nSOAPAction: "urn:vim25/6.7"\r\nCookie: %s\r\nContent-Length: %s\r\n\r\n' \
            "$soap_path" "$soap_host" "$soap_port" "$soap_cookie" "$(($(wc -c <"$work/soap-body")))"
        cat "$work/soap-body"
    } | openssl s_client -quiet -connect "$soap_host:$soap_port" "$@" >"$work/$soap_call" 2>"$work/$soap_call.error" || soap_status=$?
    rm -f "$work/soap-body"
    # Servers that close without a farewell make OpenSSL 3 end with an error after all has come.
    ! head -n 1 "$work/$soap_call" | grep -q '^HTTP/1\.[01] 200' || return 0
    [ ! -s "$work/$soap_call" ] || sed -n 's/.*<faultstring[^>]*>\([^<]*\)<.*/\1/p' "$work/$soap_call" >"$work/$soap_call.error"
    [ -s "$work/$soap_call.error" ] || printf 'no answer (openssl s_client: %s)\n' "$soap_status" >"$work/$soap_call.error"
    return 1
}

# xml TEXT: as the content of an element or an attribute.
xml() {
    printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'
}

# soap_reference TYPE:VALUE: a reference's attribute and content.
soap_reference() {
    printf ' type="%s">%s' "$(xml "${1%%:*}")" "$(xml "${1#*:}")"
}

# soap_reconfigure VM <"KEY VALUE" lines: sets advanced parameters of VirtualMachine:ID; waits until the task is done.
soap_reconfigure() {
    soap_open || {
        printf 'govc keeps no session that could be used\n' >"$work/soap.error"
        return 1
    }
    {
        printf '<ReconfigVM_Task xmlns="urn:vim25"><_this%s</_this><spec>' "$(soap_reference "$1")"
        while read -r soap_key soap_value; do
            printf '<extraConfig xsi:type="OptionValue"><key>%s</key><value xsi:type="xsd:string">%s</value></extraConfig>' "$soap_key" "$soap_value"
        done
        printf '</spec></ReconfigVM_Task>'
    } | soap soap || return 1
    soap_task=$(sed -n 's/.*<returnval[^>]*type="Task"[^>]*>\([^<]*\)<.*/\1/p' "$work/soap")
    [ -n "$soap_task" ] || {
        printf 'no task in the answer\n' >"$work/soap.error"
        return 1
    }
    soap_tries=0
    until [ "$soap_tries" -ge 120 ]; do
        collect soap-task "Task:$soap_task" info.state || :
        case $(collected soap-task info.state) in
        success) return 0 ;;
        error)
            collect soap-task "Task:$soap_task" info.error || :
            collected soap-task info.error.localizedMessage >"$work/soap.error"
            return 1
            ;;
        esac
        soap_tries=$((soap_tries + 1))
        sleep 1
    done
    printf 'the task %s does not end\n' "$soap_task" >"$work/soap.error"
    return 1
}
