// A Raspberry Pi Pico on which a UF2 file was dropped, emulated by rp2040js, with one of its consoles
// as the standard input and output: node rp2040.mjs FILE uart|usb

import { readFileSync } from "node:fs";
import { Simulator, USBCDC } from "rp2040js";

const FLASH = 0x10000000;

const [path, kind] = process.argv.slice(2);
const file = readFileSync(path);
const simulator = new Simulator();
const mcu = simulator.rp2040;

// What isn't emulated is written to without effect, and needn't be told.
const ignore = () => {};
mcu.logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

// Each block of 512 bytes says where its 256 bytes go.
for (let block = 0; block < file.length; block += 512) {
  const address = file.readUInt32LE(block + 12);
  const bytes = file.subarray(block + 32, block + 32 + file.readUInt32LE(block + 16));
  mcu.flash.set(bytes, address - FLASH);
}

const show = (bytes) => process.stdout.write(Buffer.from(bytes));

const connectUart = () => {
  const uart = mcu.uart[0];
  uart.onByte = (byte) => show([byte]);
  process.stdin.on("data", (bytes) => bytes.forEach((byte) => uart.feedByte(byte)));
};

// The host of the USB device that the firmware is. The emulator takes a buffer for received bytes as
// filled at once; the chip keeps its bit AVAILABLE until there are some, and so does this.
const connectUsb = () => {
  const AVAILABLE = 1 << 10;
  const usb = mcu.usbCtrl;
  const host = new USBCDC(usb);
  const typed = [];
  let room = 0;
  const control = (endpoint) => 0x84 + 8 * endpoint;
  const flip = (endpoint) => {
    const value = mcu.usbDPRAMView.getUint32(control(endpoint), true);
    mcu.usbDPRAMView.setUint32(control(endpoint), value ^ AVAILABLE, true);
    return value & AVAILABLE;
  };
  const deliver = () => {
    if (room > 0 && typed.length > 0) {
      flip(host.outEndpoint);
      usb.finishRead(host.outEndpoint, Uint8Array.from(typed.splice(0, room)));
      room = 0;
    }
  };
  usb.onEndpointRead = (endpoint, bytes) => {
    if (endpoint === 0) {
      return;
    }
    if (flip(endpoint)) {
      throw new Error("rp2040js keeps AVAILABLE by now: take the host's own onEndpointRead");
    }
    room = bytes;
    deliver();
  };
  host.onSerialData = show;
  process.stdin.on("data", (bytes) => {
    typed.push(...bytes);
    deliver();
  });
};

kind === "usb" ? connectUsb() : connectUart();
process.stdin.on("end", () => process.exit(0));
// Its registers start here.
mcu.findPeripheral(0x40058000).onWatchdogTrigger = () => {
  console.error("the watchdog fired");
  process.exit(1);
};

// The boot ROM isn't there: what it does is to call the second stage, at the start of flash, with a
// stack of its own, and no address to return to.
mcu.core.SP = 0x20041f00;
mcu.core.LR = 0;
mcu.core.PC = FLASH;
simulator.execute();
