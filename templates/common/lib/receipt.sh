# The receipt: JSON that the operator sends back. It tells what was done and what came of it, and holds no secret.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# receipt_write RESULT: written aside and renamed. Platform facts come from platform_receipt, as members of the object.
receipt_write() {
    receipt_path=${receipt_file:-$state/receipt.json}
    {
        printf '{\n  "apiVersion": "cloudlet-bundle/v1",\n  "kind": "Receipt",\n'
        receipt_member action "$verb"
        receipt_member result "$1"
        receipt_member cloudlet "$CB_CLOUDLET"
        receipt_member organization "$CB_ORGANIZATION"
        receipt_member region "$CB_REGION"
        receipt_member platform "$CB_PLATFORM"
        receipt_member name "$CB_NAME"
        receipt_member release "$CB_RELEASE"
        printf '  "sequence": %s,\n' "$CB_RELEASE_SEQUENCE"
        receipt_member bundle "sha256:$target_digest"
        receipt_member trust "$trust_said"
        [ "$trust_version" = 0 ] || printf '  "trustPolicy": %s,\n' "$trust_version"
        [ -z "$trust_warning" ] || receipt_member trustWarning "$trust_warning"
        [ -z "$older_than" ] || printf '  "olderThan": %s,\n' "$older_than"
        [ -z "$older_trust" ] || printf '  "trustOlderThan": %s,\n' "$older_trust"
        receipt_member started "$started"
        receipt_member finished "$(utc)"
        platform_receipt
        printf '  "steps": [%s\n  ]\n}\n' "$(receipt_steps)"
    } >"$receipt_path.new" && mv -f "$receipt_path.new" "$receipt_path" ||
        stop 3 receipt/unwritable "can't write $receipt_path" "Give another file with --receipt and run this again."
    say "receipt: $receipt_path"
}

# receipt_steps: of the last run, each with begin and end as the journal has them.
receipt_steps() {
    LC_ALL=C awk '
        $2 == "start" { n = 0 }
        $2 == "begin" { began[$3] = $1 }
        $2 == "done" || $2 == "failed" {
            row[++n] = sprintf("{ \"name\": \"%s\", \"result\": \"%s\", \"started\": \"%s\", \"finished\": \"%s\" }",
                $3, $2, ($3 in began) ? began[$3] : $1, $1)
        }
        END { for (i = 1; i <= n; i++) printf "%s\n    %s", (i > 1 ? "," : ""), row[i] }' "$journal"
}

# receipt_member NAME TEXT
receipt_member() {
    printf '  "%s": %s,\n' "$1" "$(json_string "$2")"
}

# json_string TEXT: quoted as RFC 8259 section 7 wants it; control characters become spaces.
json_string() {
    printf '"%s"' "$(printf '%s' "$1" | tr '\001-\037\177' ' ' | sed 's/\\/\\\\/g; s/"/\\"/g')"
}
