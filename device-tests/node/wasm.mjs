// Runs a task of programs/ in WebAssembly: node wasm.mjs PROGRAM TASK CHARACTERS MODEL

import { readFileSync, writeSync } from "node:fs";

const [program, task, characters, model] = process.argv.slice(2);
const bytes = readFileSync(model);
const output = (text, length) => writeSync(1, new Uint8Array(memory.buffer, text, length));
const { instance } = await WebAssembly.instantiate(readFileSync(program), { env: { output } });
const { memory, artifact, [task]: run } = instance.exports;
new Uint8Array(memory.buffer, artifact(), bytes.length).set(bytes);
run(Number(characters), bytes.length);
