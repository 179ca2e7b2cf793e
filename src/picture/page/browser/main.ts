/** Runs in the page: charts with a cursor, heat maps and incidents that are read one by one. */
import { watchCharts } from './charts.js';
import { watchHeatMaps } from './heat.js';
import { watchTimeline } from './timeline.js';

watchCharts();
watchHeatMaps();
watchTimeline();
