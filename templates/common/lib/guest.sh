# The guest, seen from outside: what it is told, what it says on its console, and what to do when it says that it failed.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# guest_fill IN OUT: user-data with the base64 of each secret where its placeholder stands, nothing where none was given.
# $work/secrets holds NAME=<base64> lines. No value is an argument or in the environment of a process; OUT has mode 0600.
guest_fill() {
    rm -f "$2.new"
    LC_ALL=C awk '
        FILENAME == ARGV[1] { at = index($0, "="); value[substr($0, 1, at - 1)] = substr($0, at + 1); next }
        { text = ""
          while (match($0, /@@CLOUDLET-SECRET:[A-Za-z0-9_]+@@/)) {
              text = text substr($0, 1, RSTART - 1) value[substr($0, RSTART + 18, RLENGTH - 20)]
              $0 = substr($0, RSTART + RLENGTH)
          }
          print text $0 }' "$work/secrets" "$1" >"$2.new" && chmod 600 "$2.new" && mv -f "$2.new" "$2"
}

# guest_stage FILE: "STAGE DETAIL" of the last status in a console's text that is of this release; nothing if there is none.
# A console holds more: other releases' words on the same disk, kernel messages, carriage returns, bytes that are no text.
# Nobody vouches for such a text, so only the form that cloudlet-bootstrap writes passes (docs/reference/guest-status.md).
guest_stage() {
    [ -r "$1" ] || return 0
    LC_ALL=C tr -d '\000' <"$1" | LC_ALL=C tr '\r' '\n' | LC_ALL=C awk \
        -v head="cloudlet-status {\"version\":1,\"release\":\"$CB_RELEASE\",\"sequence\":$CB_RELEASE_SEQUENCE," '
        (at = index($0, head)) && match($0, /"stage":"[a-z]+","detail":"[A-Za-z0-9_.,\/-]*"}/) && RSTART > at {
            split(substr($0, RSTART, RLENGTH), word, "\"")
            said = word[4] " " word[8]
        }
        END { if (said != "") print said }'
}

# guest_remedy REASON: what the operator does about a guest that said `failed REASON`. The guest tries again at each boot.
guest_remedy() {
    case $1 in
    payload-digest-differs)
        printf '%s' "The payload disk was damaged on its way. Compare the payload image's digest with the bundle's, replace the disk, reboot the VM." ;;
    payload-of-another-release)
        printf '%s' "The disk attached is another release's payload. Attach the one of this bundle and reboot the VM." ;;
    no-payload-disk)
        printf '%s' "The VM has no disk with the payload. See that it is attached, and reboot the VM." ;;
    no-container-engine)
        printf '%s' "The VM image has neither docker nor podman. Ask the bundle's maker for an image that keeps the base image's contract." ;;
    docker-does-not-answer | podman-does-not-answer)
        printf '%s' "Reboot the VM. If it happens again: journalctl -u docker in the VM; the image may lack what the engine needs." ;;
    docker-load | podman-load | image-missing-after-load)
        printf '%s' "The container engine refused the payload. Reboot the VM; if it happens again, journalctl -u cloudlet-bootstrap in the VM says why." ;;
    disk-full)
        printf '%s' "The VM's disk is too small for the containers. Choose a flavor or root volume with more disk." ;;
    not-healthy-*)
        printf '%s' "The containers run but are not well: ${1#not-healthy-}. Usual reasons: the access key was used before (give a fresh one with --secrets), or the controller can't be reached. The VM goes on looking and says so when they are well." ;;
    firewall | no-iptables)
        printf '%s' "The VM could not set its firewall, so it started nothing. The image needs iptables." ;;
    no-*)
        printf '%s' "The VM image lacks the program ${1#no-}. Ask the bundle's maker for an image that keeps the base image's contract." ;;
    *) printf '%s' "Reboot the VM; it tries again at each boot. If it happens again, send the console's last lines to the bundle's maker." ;;
    esac
}
