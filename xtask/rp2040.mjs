// A Raspberry Pi Pico on which a UF2 file was dropped, emulated by rp2040js: its UART is the standard
// input and output.

import { readFileSync } from "node:fs";
import { Simulator } from "rp2040js";

const FLASH = 0x10000000;

const file = readFileSync(process.argv[2]);
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

const uart = mcu.uart[0];
uart.onByte = (byte) => process.stdout.write(Buffer.from([byte]));
process.stdin.on("data", (bytes) => bytes.forEach((byte) => uart.feedByte(byte)));
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
