/**
 * What putting a container on a network takes: tsnet beside Docker's own drivers, a driver that does nothing and no
 * network at all, all through the Engine API. Absolute figures are the machine's; the ratios carry over.
 */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { chart } from './chart/chart.ts';
import { thisMachine } from './machine.ts';
import { readOptions } from './options.ts';
import { type EngineReport, type MeasureReport, type Report, together } from './report.ts';
import { runMeasure } from './run-measure.ts';
import { headText, measureTables } from './tables.ts';
import { targetTable } from './targets.ts';

const options = readOptions(process.argv);
const report = options.from === undefined ? await measure() : read(options.from);
if (options.targets) console.log(targetTable(report));
await write(options.svg, chart(report));
console.log(`figures: ${options.from?.join(' ') ?? options.json}\nchart: ${options.svg}`);

/** Prints and keeps each measure as it is done, so that a long run that fails has not been for nothing. */
async function measure(): Promise<Report> {
  const { engine: generations, measures, plan, json } = options;
  const engines: EngineReport[] = [];
  const taken: Report = { machine: thisMachine(), plan, engines };
  console.log(headText(taken));
  for (const generation of generations) {
    const done: MeasureReport[] = [];
    for (const name of measures) {
      const { engine, report } = await runMeasure(name, generation, plan, round => {
        const of =
          round === 0 ? `engine ${generation}, ${name}: warm-up` : `, round ${round} of ${plan.rounds}`;
        process.stderr.write(of);
      });
      process.stderr.write('\n');
      done.push(report);
      if (done.length === 1) engines.push({ engine, measures: done });
      console.log(measureTables({ engine }, report));
      await write(json, `${JSON.stringify(taken, rounded, 2)}\n`);
    }
  }
  // what is drawn now is what the file says, whenever it is drawn again
  return JSON.parse(readFileSync(json, 'utf8'));
}

/** Prints what earlier runs have found. */
function read(files: readonly string[]): Report {
  const reports = files.map(file => JSON.parse(readFileSync(file, 'utf8')) as Report);
  for (const report of reports) {
    console.log(headText(report));
    for (const engine of report.engines) {
      for (const measured of engine.measures) console.log(measureTables(engine, measured));
    }
  }
  return together(reports);
}

/** Nobody can measure tenths of a microsecond. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value;
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
