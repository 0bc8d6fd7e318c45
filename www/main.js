// The page draws; the worker works.
import './style.css';
import { start } from './actions/open.js';
import './elements/drop-zone.js';
import './elements/layers-card.js';
import './elements/network-card.js';
import './elements/recipe-card.js';
import './elements/result-card.js';
import './elements/run-card.js';
import './elements/search-card.js';

void start();
