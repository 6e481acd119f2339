#!/bin/sh
# The USB host in rp2040js raises DTR for the device instead of the serial port's interface.
#
# Guess: `USBCDC` raises DTR when it connects, so a firmware on the emulator sees DTR set. The USB
# class (CDC PSTN 1.2, 6.3.12) requires SET_CONTROL_LINE_STATE to be sent to the interface:
# bmRequestType 0x21.
# Seen with rp2040js 1.4.1 on Node 20: bmRequestType is 0x20, so the recipient is the device. A
# stack that checks the recipient, as embassy-usb 0.6 does, refuses the request, and DTR stays low.
set -eu

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . rp2040js@1.4.1 > /dev/null
cat > host.mjs <<'END'
import { USBCDC } from "rp2040js";
const sent = [];
new USBCDC({ sendSetupPacket: (packet) => sent.push(packet) }).cdcSetControlLineState();
console.log(sent.map((packet) => Buffer.from(packet).toString("hex")).join());
END
seen=$(node host.mjs)
echo "seen: $seen"
# bmRequestType 20, bRequest 22, wValue 3 (DTR and RTS), wIndex 0, wLength 0.
[ "$seen" = 2022030000000000 ]
