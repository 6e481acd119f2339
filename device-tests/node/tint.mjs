// Makes a pipeline of each kernel in a folder with Dawn. Files: <kind of device>.<kernel>.wgsl.

import { readdirSync, readFileSync } from "node:fs";
import { create } from "webgpu";

const gpu = create(["backend=null"]);
const adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice();
const [folder] = process.argv.slice(2);
const files = readdirSync(folder).filter((file) => file.endsWith(".wgsl"));
let failed = 0;
for (const file of files) {
  const module = device.createShaderModule({ code: readFileSync(`${folder}/${file}`, "utf8") });
  const { messages } = await module.getCompilationInfo();
  for (const { type, lineNum, message } of messages) {
    console.log(`${file}:${lineNum}: ${type}: ${message}`);
  }
  const compute = { module, entryPoint: file.split(".")[1] };
  try {
    await device.createComputePipelineAsync({ layout: "auto", compute });
  } catch (error) {
    console.log(`${file}: ${error.message}`);
    failed += 1;
  }
}
console.log(`    ${files.length - failed} of ${files.length} kernels pass`);
process.exitCode = files.length > 0 && failed === 0 ? 0 : 1;
device.destroy();
