# What the scripts of network cards share: $interface is dom0's end of the card. A script defines plug and unplug.
# SPDX-License-Identifier: Apache-2.0
. "${0%/*}/hotplug-common.sh"

interface=${vif:?}

# The interface gets the name that vifname= wants.
rename_interface() {
    name=$(node vifname)
    [ -n "$name" ] && [ "$name" != "$interface" ] || return 0
    if [ -e "/sys/class/net/$interface" ]; then
        must ip link set "$interface" down
        must ip link set "$interface" name "$name"
    fi
    interface=$name
}

# Addresses of ip=, one a line.
addresses() { node ip | tr ' ' '\n' | grep .; }

main() {
    case $1 in
    online)
        rename_interface
        [ -e "/sys/class/net/$interface" ] || fail "there is no network interface $interface"
        mtu=$(node mtu)
        [ -z "$mtu" ] || must ip link set "$interface" mtu "$mtu"
        plug
        set_node hotplug-status connected
        ;;
    offline)
        rename_interface
        unplug
        # The driver may take it away at any moment.
        ip link set "$interface" down 2>/dev/null || [ ! -e "/sys/class/net/$interface" ] || fail "$interface can't be taken down"
        ;;
    add | remove) ;;  # of an emulated card: there is none
    *) fail "${0##*/} can't '$1'" ;;
    esac
}
