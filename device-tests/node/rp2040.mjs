// Emulates a Raspberry Pi Pico with rp2040js after a UF2 file was copied to its drive, with one of
// its consoles as standard input and output: node rp2040.mjs FILE uart|usb [NEXT_FILE]
//
// Four bytes that occur in no text are commands. On the UART, PRESS presses BOOTSEL for a moment,
// HANG makes the program hang, and NEXT writes NEXT_FILE to flash and resets the core, but not the
// RAM. On USB, OPEN closes the port and opens it again. If the watchdog fires, the exit code is
// WATCHDOG_FIRED.
//
// Limits: the boot ROM doesn't run, only its rule for erasing is followed; and flash has no wait
// states.

import { readFileSync } from "node:fs";
import { Simulator, USBCDC } from "rp2040js";

const FLASH = 0x10000000;
const RAM = 0x20000000;
const RAM_BYTES = 0x42000;
const SECTOR = 0x1000;

const PRESS = 0xff;
const HANG = 0xfe;
const OPEN = 0xfd;
const NEXT = 0xfc;
const WATCHDOG_FIRED = 3;

const [path, kind, nextPath] = process.argv.slice(2);
const simulator = new Simulator();
const mcu = simulator.rp2040;

// Writes to registers that aren't emulated have no effect; don't log them.
const ignore = () => {};
mcu.logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

// Each block of 512 bytes has the address of its 256 bytes of data. For each group of 16 block
// numbers, the boot ROM erases the sector of the first block. Programming only clears bits.
const writeFlash = (path) => {
  const file = readFileSync(path);
  const erased = new Set();
  for (let block = 0; block < file.length; block += 512) {
    const offset = file.readUInt32LE(block + 12) - FLASH;
    const group = file.readUInt32LE(block + 20) >>> 4;
    if (!erased.has(group)) {
      erased.add(group);
      const sector = offset - (offset % SECTOR);
      mcu.flash.fill(0xff, sector, sector + SECTOR);
    }
    const bytes = file.subarray(block + 32, block + 32 + file.readUInt32LE(block + 16));
    bytes.forEach((byte, index) => (mcu.flash[offset + index] &= byte));
  }
};

// Does the boot ROM's work: calls the second stage, at the start of flash, with the ROM's stack and
// without a return address.
const boot = () => {
  Object.assign(mcu.core, { IPSR: 0, waiting: false, enabledInterrupts: 0, pendingInterrupts: 0 });
  mcu.core.SP = 0x20041f00;
  mcu.core.LR = 0;
  mcu.core.PC = FLASH;
};

const next = () => {
  writeFlash(nextPath);
  boot();
};

const show = (bytes) => process.stdout.write(Buffer.from(bytes));

// Addresses that the emulator doesn't implement read as all ones.
const MISSING = 0xffffffff;
const emulate = (address, registers) => {
  if (mcu.readUint32(address) !== MISSING) {
    throw new Error(`rp2040js now emulates ${address.toString(16)}: remove this replacement`);
  }
  mcu.peripherals[address >>> 12] = { writeUint32Atomic: registers.writeUint32, ...registers };
};

// The flash cache (XIP): no data is streaming.
emulate(0x14000000, { readUint32: () => 0, writeUint32: ignore });

// The pin that selects the flash, which BOOTSEL pulls low. To read the button, a program stops
// driving the pin. Then flash can't be read, so the program must run in RAM.
const connectBootsel = () => {
  const [STATUS, CONTROL] = [8, 12];
  const UNDRIVEN = 2 << 12;
  let [control, isDown] = [0, false];
  emulate(0x40018000, {
    readUint32: (offset) => (offset === STATUS ? (isDown ? 0 : 1 << 17) : control),
    writeUint32: (offset, value) => {
      if (offset === CONTROL) {
        control = value;
        if (control & UNDRIVEN && mcu.core.PC < RAM) {
          throw new Error("the program turns off the flash that it runs from");
        }
      }
    },
  });
  const release = simulator.clock.createAlarm(() => (isDown = false));
  return () => {
    isDown = true;
    release.schedule(30e6);
  };
};

const hang = () => {
  const position = RAM + RAM_BYTES - 4;
  mcu.writeUint16(position, 0xbf30); // wfi
  mcu.writeUint16(position + 2, 0xe7fd); // b to the wfi
  mcu.core.PC = position;
};

const pressBootsel = connectBootsel();

const connectUart = () => {
  const uart = mcu.uart[0];
  const actions = { [PRESS]: pressBootsel, [HANG]: hang, [NEXT]: next };
  uart.onByte = (byte) => show([byte]);
  process.stdin.on("data", (bytes) =>
    bytes.forEach((byte) => (actions[byte] ?? (() => uart.feedByte(byte)))()),
  );
};

// rp2040js sends requests to change the serial port's lines to the device; the USB class wants them
// sent to the interface.
const askInterface = (usb) => {
  const [TO_DEVICE, TO_INTERFACE, SET_CONTROL_LINE_STATE] = [0x20, 0x21, 0x22];
  const send = usb.sendSetupPacket.bind(usb);
  usb.sendSetupPacket = (packet) => {
    if (packet[1] === SET_CONTROL_LINE_STATE) {
      if (packet[0] !== TO_DEVICE) {
        throw new Error("rp2040js now addresses the interface: remove this correction");
      }
      packet[0] = TO_INTERFACE;
    }
    send(packet);
  };
};

// The USB host of the firmware. The emulator treats a receive buffer as filled immediately; the
// chip keeps the buffer's bit AVAILABLE set until bytes arrive, and so does this.
//
// The host opens the port as soon as it can. Until the terminal is set up, it echoes everything
// that it receives; and a modem manager probes the port, before it is open and while it is being
// opened.
const connectUsb = () => {
  const AVAILABLE = 1 << 10;
  const MODEM_COMMAND = Buffer.from("AT+GCAP\r");
  const SETTING_UP = 90e6;
  const usb = mcu.usbCtrl;
  askInterface(usb);
  const host = new USBCDC(usb);
  const typed = [...MODEM_COMMAND];
  let isSetUp = false;
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
      throw new Error("rp2040js now keeps AVAILABLE set: use its own onEndpointRead");
    }
    room = bytes;
    deliver();
  };
  const type = (bytes) => {
    typed.push(...bytes);
    deliver();
  };
  const setUp = simulator.clock.createAlarm(() => {
    type(MODEM_COMMAND);
    isSetUp = true;
  });
  // DTR has just been raised.
  const open = () => setUp.schedule(SETTING_UP);
  const reopen = simulator.clock.createAlarm(() => {
    host.cdcSetControlLineState();
    open();
  });
  const close = () => {
    isSetUp = false;
    host.cdcSetControlLineState(0);
    reopen.schedule(1e6);
  };
  host.onDeviceConnected = open;
  host.onSerialData = (bytes) => {
    show(bytes);
    if (!isSetUp) {
      type(bytes);
    }
  };
  process.stdin.on("data", (bytes) =>
    bytes.forEach((byte) => (byte === OPEN ? close() : type([byte]))),
  );
};

kind === "usb" ? connectUsb() : connectUart();
process.stdin.on("end", () => process.exit(0));
// The watchdog is the peripheral at this address.
mcu.findPeripheral(0x40058000).onWatchdogTrigger = () => {
  console.error("the watchdog fired");
  process.exit(WATCHDOG_FIRED);
};

// The worst case: an older image has left all bits clear.
mcu.flash.fill(0);
writeFlash(path);
boot();
simulator.execute();
