# ovftool, which some sites would rather have send the package. It carries the template only: what the VM is told depends on
# hardware addresses that are known later, and would be an argument that ps shows.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# ovftool_can: it logs in with a password, and checks certificates against its own list.
ovftool_can() {
    [ -n "$vcd_password" ] && [ -z "${VCD_CACERT-}" ]
}

# ovftool_send: OVF Tool User's Guide, "vCloud Director Locators" and "Command-Line Options". The password is not in the locator:
# then ovftool asks for it, and reads it from its standard input ("Handling Authentication").
ovftool_send() {
    ovftool_host=${vcd_url#https://}
    case $ovftool_host in *:*) ;; *) ovftool_host=$ovftool_host:443 ;; esac
    set -- --acceptAllEulas --overwrite --vCloudTemplate=true
    [ "${VCD_INSECURE-}" != true ] || set -- "$@" --noSSLVerify
    ovftool_target="vcloud://$(locator_text "$vcd_user")@$ovftool_host?org=$(locator_text "$vcd_org")&vdc=$(locator_text "$vdc_name")"
    ovftool_target="$ovftool_target&catalog=$(locator_text "$catalog_name")&vappTemplate=$(locator_text "$template_name")"
    printf '%s\n' "$vcd_password" | ovftool "$@" "$target_folder/$CB_OVF_FILE" "$ovftool_target" \
        >"$work/ovftool" 2>&1 &
    child=$!
    printf '%s %s\n' "$child" "$(process_born "$child")" >"$state/lock/child"
    ovftool_began=$(seconds)
    while kill -0 "$child" 2>/dev/null; do
        # It draws its progress over one line.
        progress "ovftool: $(tr '\r' '\n' <"$work/ovftool" | LC_ALL=C tr -d '\000-\011\013-\037\177' | tail -n 1 | cut -c1-60), $(($(seconds) - ovftool_began)) s"
        sleep 1
    done
    ovftool_status=0
    wait "$child" || ovftool_status=$?
    child=''
    rm -f "$state/lock/child"
    progress_end
    [ "$ovftool_status" = 0 ] || stop 3 ovftool/failed \
        "ovftool ended with $ovftool_status: $(tr '\r' '\n' <"$work/ovftool" | grep -i error | tail -n 1 | LC_ALL=C tr -d '\000-\037\177' | cut -c1-300 | secrets_hide)" \
        "To send it without ovftool: --parameter driver=curl"
}

# locator_text TEXT: percent-encoded but for what RFC 3986, 2.3 leaves as it is.
locator_text() {
    printf '%s' "$1" | od -An -v -tu1 | LC_ALL=C awk '{
        for (i = 1; i <= NF; i++) {
            c = sprintf("%c", $i + 0)
            if ($i < 128 && c ~ /[A-Za-z0-9._~-]/) printf "%s", c; else printf "%%%02X", $i
        } }'
}
