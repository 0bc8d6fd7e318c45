// The page draws; the workers work.
import './style.css';
import { start } from './actions/open.js';
import './elements/drop-zone.js';
import './elements/layer-table.js';
import './elements/learn-panel.js';
import './elements/network-card.js';
import './elements/pipeline-bar.js';
import './elements/recipe-card.js';
import './elements/run-card.js';
import './elements/stage-view.js';

void start();
