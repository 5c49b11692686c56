# How this machine knows vCenter by its certificate, for the few calls that govc has no command for: as govc is told.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# tls_words HOST PORT: the words for `openssl s_client`, one a line; false if GOVC_TLS_KNOWN_HOSTS knows another certificate.
tls_words() {
    case ${GOVC_INSECURE-} in
    1 | [tT][rR][uU][eE]) return 0 ;;
    esac
    tls_known=''
    [ -z "${GOVC_TLS_KNOWN_HOSTS-}" ] || tls_known=$(tls_thumbprint "$1" "$2")
    if [ -n "$tls_known" ]; then
        openssl s_client -connect "$1:$2" </dev/null 2>/dev/null | openssl x509 >"$work/known.pem" 2>/dev/null || return 1
        # SHA-1, and SHA-256 too in newer ones (govmomi, soap.Client.LoadThumbprints).
        case $tls_known in
        "$(tls_print sha1)" | "$(tls_print sha256)") ;;
        *) return 1 ;;
        esac
        # This very certificate is the anchor, so the connection after this one can't be to anybody else.
        printf '%s\n' -verify_return_error -partial_chain -CAfile "$work/known.pem"
        return 0
    fi
    printf '%s\n' -verify_return_error
    if [ -n "${GOVC_TLS_CA_CERTS-}" ]; then
        # Several files, with colons between (govmomi, soap.Client.SetRootCAs).
        printf '%s\n' "$GOVC_TLS_CA_CERTS" | tr ':' '\n' | while IFS= read -r tls_file; do cat "$tls_file"; done >"$work/ca.pem"
        printf '%s\n' -CAfile "$work/ca.pem"
    fi
    # The certificate must be for that name.
    case $1 in
    \[*\]) printf '%s\n' -verify_ip "$(printf '%s' "$1" | tr -d '[]')" ;;
    *[!0-9.]*) printf '%s\n' -verify_hostname "$1" -servername "$1" ;;
    *) printf '%s\n' -verify_ip "$1" ;;
    esac
}

tls_print() {
    openssl x509 -noout -fingerprint "-$1" -in "$work/known.pem" | sed 's/.*=//'
}

# tls_thumbprint HOST PORT: what GOVC_TLS_KNOWN_HOSTS has for it, in capitals with colons.
tls_thumbprint() {
    printf '%s\n' "$GOVC_TLS_KNOWN_HOSTS" | tr ':' '\n' | while IFS= read -r tls_file; do
        awk -v one="$1:$2" -v other="$1" '$1 == one || $1 == other { print toupper($2) }' "$tls_file" 2>/dev/null
    done | head -n 1
}
