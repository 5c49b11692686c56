# The two images in Glance: VM image and payload. Marked as ours, compared by digest, sent again if half there.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# Marks: property cloudlet_bundle=<name of the PlatformVM> and cloudlet_bundle_sha256=<digest of the file>.

# image_of vm|payload: what site.env says about it.
image_of() {
    case $1 in
    vm)
        image_name=$CB_VM_IMAGE_NAME image_file=$here/$CB_VM_IMAGE_FILE image_format=$CB_VM_IMAGE_FORMAT
        image_size=$CB_VM_IMAGE_SIZE image_sha256=$CB_VM_IMAGE_SHA256 image_sha512=$CB_VM_IMAGE_SHA512
        image_disk=$CB_VM_IMAGE_MIN_DISK_GIB image_memory=$CB_VM_IMAGE_MIN_MEMORY_MIB image_title='VM image'
        ;;
    payload)
        image_name=$CB_PAYLOAD_NAME image_file=$here/$CB_PAYLOAD_FILE image_format=raw
        image_size=$CB_PAYLOAD_SIZE image_sha256=$CB_PAYLOAD_SHA256 image_sha512=$CB_PAYLOAD_SHA512
        image_disk=0 image_memory=0 image_title=payload
        ;;
    esac
}

# image_ask KIND: lists the images of that name; image_judge looks at each.
image_ask() {
    image_of "$1"
    ask "images-$1" image list --name "$image_name" -f value -c ID
}

# image_judge KIND: writes one line for each image of the name to $work/image-KIND: STATE ID ours|foreign DIGEST, where
# STATE is ready (its digest is the file's), partial (upload not completed) or wrong (another digest).
image_judge() {
    image_of "$1"
    : >"$work/image-$1"
    answered "images-$1" || {
        trouble_finding "images-$1" "listing images"
        return 0
    }
    while read -r image_id; do
        client image show "$image_id" -f shell >"$work/image" 2>"$work/image.error" || {
            not_found image || trouble_finding image "looking at image $image_id"
            continue
        }
        image_owner=foreign
        [ "$(property_of image cloudlet_bundle)" != "$CB_NAME" ] || image_owner=ours
        case $(answer image status) in
        active)
            image_digest_state
            printf '%s %s %s %s\n' "$image_state" "$image_id" "$image_owner" "$image_digest"
            ;;
        queued | saving | importing | uploading | killed) printf 'partial %s %s -\n' "$image_id" "$image_owner" ;;
        pending_delete | deleted) ;;
        *) printf 'wrong %s %s -\n' "$image_id" "$image_owner" ;;
        esac >>"$work/image-$1"
    done <"$work/images-$1"
}

# image_digest_state: sets image_state (ready or wrong) and image_digest. Glance before Rocky (2018) has no os_hash_value; its MD5 checksum and the size
# then have to do: both were computed by Glance from what arrived.
image_digest_state() {
    image_algorithm=$(property_of image os_hash_algo)
    image_digest=$(property_of image os_hash_value)
    case $image_algorithm in
    sha512) image_wanted=$image_sha512 ;;
    sha256) image_wanted=$image_sha256 ;;
    *)
        image_digest=$(answer image checksum)
        image_wanted=unknown
        [ "$(answer image size)" != "$image_size" ] || [ ! -f "$image_file" ] ||
            image_wanted=$(md5sum <"$image_file" | cut -d' ' -f1)
        ;;
    esac
    image_state=wrong
    [ -z "$image_digest" ] || [ "$image_digest" != "$image_wanted" ] || image_state=ready
}

# image_line KIND STATE: the first image of that state, ours before others: ID ours|foreign.
image_line() {
    {
        grep "^$2 [^ ]* ours" "$work/image-$1" || :
        grep "^$2 [^ ]* foreign" "$work/image-$1" || :
    } | head -n 1 | cut -d' ' -f2,3
}

# image_preflight KIND
image_preflight() {
    image_judge "$1"
    image_of "$1"
    [ -z "$(image_line "$1" ready)" ] || return 0
    grep '^wrong [^ ]* foreign' "$work/image-$1" >"$work/image-wrong" || :
    while read -r image_state image_id image_owner image_digest; do
        finding image/other-digest "image $image_id is called $image_name and is not ours: its digest is $image_digest" \
            "Wanted: SHA-512 $image_sha512. Somebody put other bytes under this name: rename or delete that image."
    done <"$work/image-wrong"
    if [ ! -f "$image_file" ]; then
        finding bundle/no-image "the $image_title is neither in the cloud nor in this folder (${image_file#"$here/"})" \
            "Unpack the whole bundle that it belongs to, and run its install.sh."
    elif [ "$(wc -c <"$image_file" | tr -d ' ')" != "$image_size" ]; then
        finding bundle/image-size "${image_file#"$here/"} does not have $image_size bytes" "Unpack the bundle again."
    fi
}

# image_step KIND check|do|undo
image_step() {
    case $2 in
    check)
        image_ready=$(image_line "$1" ready)
        [ -n "$image_ready" ] || return 1
        step_id=${image_ready%% *}
        ;;
    do) image_send "$1" ;;
    undo)
        image_of "$1"
        say "the $image_title stays until --uninstall"
        ;;
    esac
}

# image_send KIND: removes a half-sent image of ours, sends the file, and believes the digest that Glance computed. An
# upload that was cut may also end as an active image with fewer bytes, so one of ours with another digest goes as well.
image_send() {
    grep -E '^(partial|wrong) [^ ]* ours' "$work/image-$1" >"$work/image-partial" || :
    while read -r image_state image_id image_owner image_digest; do
        say "  removing a half-sent image ($image_id)"
        image_delete "$image_id"
    done <"$work/image-partial"
    image_of "$1"
    set -- "$1" --property "cloudlet_bundle=$CB_NAME" --property "cloudlet_bundle_sha256=$image_sha256"
    image_at=0
    while [ "$1" = vm ] && [ "$image_at" -lt "${CB_OS_IMAGE_PROPERTY_COUNT:-0}" ]; do
        image_at=$((image_at + 1))
        set -- "$@" --property "$(site_value "CB_OS_IMAGE_PROPERTY_$image_at")"
    done
    image_kind=$1
    shift
    change_file=$image_file change_size=$image_size
    change image-create "sending the $image_title" image create "$image_name" --file "$image_file" \
        --disk-format "$image_format" --container-format bare --private \
        --min-disk "$image_disk" --min-ram "$image_memory" "$@" -f value -c id ||
        trouble_stop image-create "sending the $image_title"
    change_file=''
    step_id=$(tail -n 1 "$work/image-create")
    image_waits=0
    while :; do
        image_ask "$image_kind"
        asked_all
        image_judge "$image_kind"
        case $(grep " $step_id " "$work/image-$image_kind") in
        ready*) return 0 ;;
        wrong*)
            image_delete "$step_id"
            stop 3 image/damaged "Glance received other bytes than were sent as $image_name" \
                "The image was deleted. Run this again; if it happens twice, check this machine's disk and memory."
            ;;
        esac
        image_waits=$((image_waits + 1))
        [ "$image_waits" -le 60 ] || stop 3 image/not-active "image $step_id does not become active" \
            "Ask the cloud's administrator to look at Glance; then run this again."
        sleep 5
    done
}

# image_delete ID: gone is as good as deleted.
image_delete() {
    client image delete "$1" >"$work/image-delete" 2>"$work/image-delete.error" || not_found image-delete ||
        trouble_stop image-delete "deleting image $1"
}

# images_ours: the ids of all images that carry our mark, in $work/images-ours.
images_ours() {
    client image list --property "cloudlet_bundle=$CB_NAME" -f value -c ID >"$work/images-ours" \
        2>"$work/images-ours.error" || trouble_stop images-ours "listing our images"
}

# images_prune ID...: deletes our images except those.
images_prune() {
    images_ours
    while read -r image_id; do
        case " $* " in
        *" $image_id "*) ;;
        *)
            say "  removing an image that nothing needs any more ($image_id)"
            image_delete "$image_id"
            ;;
        esac
    done <"$work/images-ours"
}
