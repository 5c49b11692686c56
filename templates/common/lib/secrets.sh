# The secrets file. Values go from it into one 0600 file for the client and nowhere else: no argument of any process,
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
# no environment variable, no message.

# secrets_check: findings about the file; on success $work/secrets holds NAME=<base64> lines, sorted, each slot once.
secrets_check() {
    : >"$work/secrets"
    [ -n "$secrets_file" ] || return 0
    [ -f "$secrets_file" ] && [ -r "$secrets_file" ] || {
        finding secrets/unreadable "$secrets_file is not a readable file" "Check the path given with --secrets."
        return 0
    }
    secrets_owner || return 0
    secrets_lines="$work/secrets-lines"
    : >"$secrets_lines"
    secrets_number=0
    while IFS= read -r secrets_line || [ -n "$secrets_line" ]; do
        secrets_number=$((secrets_number + 1))
        secrets_take "$secrets_line"
    done <"$secrets_file"
    secrets_required
    LC_ALL=C sort "$secrets_lines" >"$work/secrets"
    rm -f "$secrets_lines"
}

# secrets_owner: only the operator may read it.
secrets_owner() {
    # shellcheck disable=SC2012,SC2046 # two words; stat(1) is spelled differently on every system; ls -n is POSIX
    set -- $(ls -ldnL -- "$secrets_file" | awk '{ print $1, $3 }')
    case $1 in
    -r[w-]-------*) ;;
    *)
        finding secrets/mode "others may read $secrets_file ($1)" "chmod 600 '$secrets_file'"
        return 1
        ;;
    esac
    [ "$2" = "$(id -u)" ] || {
        finding secrets/owner "$secrets_file belongs to user $2, not to you" "Make a copy of your own, mode 0600."
        return 1
    }
}

# secrets_take LINE: one line of the file. Messages name the line and the slot, never the value.
secrets_take() {
    case $1 in
    '' | '#'*) return 0 ;;
    *"$carriage_return")
        [ "$secrets_number" -gt 1 ] || finding secrets/line-ends "$secrets_file has Windows line ends" \
            "Save it with plain line feeds: tr -d '\\r' <FILE >FILE.new"
        return 0
        ;;
    [A-Z]*=*) ;;
    *)
        finding secrets/line "line $secrets_number of the secrets file is not NAME=value" "See site/secrets.template."
        return 0
        ;;
    esac
    secret_name=${1%%=*}
    secret_slot=$(secrets_slot "$secret_name")
    if [ -z "$secret_slot" ]; then
        finding secrets/unknown "line $secrets_number names no slot of this bundle" \
            "Slots: $(secrets_names). Take the line out, or correct the name."
    elif grep -q "^$secret_name=" "$secrets_lines"; then
        finding secrets/repeated "$secret_name is given twice (line $secrets_number)" "Keep one of them."
    else
        secrets_encode "${1#*=}"
    fi
}

# secrets_encode VALUE: appends NAME=<base64>. printf is built into the shell, so no process shows the value.
secrets_encode() {
    case $1 in
    base64:*)
        printf '%s' "${1#base64:}" | base64 -d >"$work/secret-value" 2>/dev/null ||
            finding secrets/base64 "the value of $secret_name is not base64" "Make it with: base64 -w0 FILE"
        ;;
    *) printf '%s' "$1" >"$work/secret-value" ;;
    esac
    secret_size=$(wc -c <"$work/secret-value" | tr -d ' ')
    secret_limit=$(site_value "CB_SECRET_${secret_slot}_MAX_BYTES")
    if [ "$secret_size" -gt "$secret_limit" ]; then
        finding secrets/too-long "$secret_name has $secret_size bytes, at most $secret_limit fit" \
            "Give a shorter value, or ask for a bundle with a larger slot."
    elif [ "$secret_size" -gt 0 ]; then
        printf '%s=%s\n' "$secret_name" "$(base64 <"$work/secret-value" | tr -d '\n')" >>"$secrets_lines"
    fi
    rm -f "$work/secret-value"
}

secrets_required() {
    secrets_at=0
    while [ "$secrets_at" -lt "$CB_SECRET_COUNT" ]; do
        secrets_at=$((secrets_at + 1))
        [ "$(site_value "CB_SECRET_${secrets_at}_REQUIRED")" = yes ] || continue
        secret_name=$(site_value "CB_SECRET_${secrets_at}_NAME")
        grep -q "^$secret_name=" "$secrets_lines" || finding secrets/missing \
            "$secret_name is not in the secrets file ($(site_value "CB_SECRET_${secrets_at}_DESCRIPTION"))" \
            "Add a line $secret_name=value to $secrets_file."
    done
}

# secrets_slot NAME: its number, or nothing.
secrets_slot() {
    slot_at=0
    while [ "$slot_at" -lt "$CB_SECRET_COUNT" ]; do
        slot_at=$((slot_at + 1))
        [ "$(site_value "CB_SECRET_${slot_at}_NAME")" != "$1" ] || {
            printf '%s' "$slot_at"
            return 0
        }
    done
}

secrets_names() {
    slot_at=0
    while [ "$slot_at" -lt "$CB_SECRET_COUNT" ]; do
        slot_at=$((slot_at + 1))
        printf '%s ' "$(site_value "CB_SECRET_${slot_at}_NAME")"
    done
}

# secrets_yaml: every slot as a line for the client's environment file; a slot without a value is emptied.
secrets_yaml() {
    slot_at=0
    while [ "$slot_at" -lt "$CB_SECRET_COUNT" ]; do
        slot_at=$((slot_at + 1))
        printf '  %s: "%s"\n' "$(site_value "CB_SECRET_${slot_at}_PARAMETER")" \
            "$(sed -n "s/^$(site_value "CB_SECRET_${slot_at}_NAME")=//p" "$work/secrets")"
    done
}

# secrets_digest: salted, so that the journal tells a changed secret and nothing about it.
secrets_digest() {
    cat "$state_salt" "$work/secrets" | sha256sum | cut -d' ' -f1
}

# secrets_hide: a filter that takes values, plain base64 as the client gets them, out of somebody else's text.
secrets_hide() {
    if [ -s "$work/secrets" ]; then
        LC_ALL=C awk '
            NR == FNR { at = index($0, "="); value = substr($0, at + 1); if (length(value) >= 8) hide[value] = 1; next }
            { for (value in hide) while ((at = index($0, value)) > 0)
                $0 = substr($0, 1, at - 1) "[secret]" substr($0, at + length(value))
              print }' "$work/secrets" -
    else
        cat
    fi
}
