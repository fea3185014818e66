# What the hot-plug scripts share. $XENBUS_PATH is the back end's directory in the store; failures are told there.
# SPDX-License-Identifier: Apache-2.0

node() { xenstore-read "$XENBUS_PATH/$1" 2>/dev/null; }
set_node() { xenstore-write "$XENBUS_PATH/$1" "$2"; }

fail() {
    set_node hotplug-error "$*"
    set_node hotplug-status error
    echo "$*" >&2
    exit 1
}

# must COMMAND…: fails with what the command says.
must() {
    output=$("$@" 2>&1) || fail "'$*' failed: $output"
}

[ -n "$XENBUS_PATH" ] || { echo "XENBUS_PATH isn't set: xl runs this script, not a person" >&2; exit 1; }
