// What a run on the open samples is judged by, as long as there is no report that says so.
import * as format from './format.js';
import { byAgreement, get } from './state.js';

/** What its accuracies are called, and how they are written. @returns {{ name: string, write: (accuracy: number) => string }} */
export function measureNow() {
  const { data, network, result } = get();
  const outputs = (data.summary?.training ?? data.summary?.test)?.outputs ?? 0;
  const unlabelled = network?.graph.classifies ? 'agreement' : 'outputs';
  const criterion = result?.report.criterion ?? (outputs > 0 ? 'targets' : byAgreement(data) ? unlabelled : 'labels');
  const byNumbers = criterion === 'targets' || criterion === 'outputs';
  return { name: format.measureOf({ criterion }), write: byNumbers ? (accuracy) => accuracy.toFixed(4) : format.percent };
}
