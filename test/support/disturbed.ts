/** A fleet with every kind of disturbance, for tests that look for each. */
import type { FleetFile } from '../../src/index.js';

const MACHINE = { type: 'vm', pattern: 'stable_low_load' } as const;

/** One a machine, on 8 February 2025 unless said otherwise. */
export const DISTURBED: FleetFile = {
  machines: [
    {
      ...MACHINE,
      id: 'still',
      hostname: 'still.example',
      services: [{ id: 'web', name: 'Web', type: 'web', port: 80 }],
    },
    { ...MACHINE, id: 'silent', hostname: 'silent.example' },
    { ...MACHINE, id: 'stuck', hostname: 'stuck.example' },
    { ...MACHINE, id: 'spiky', hostname: 'spiky.example' },
    { ...MACHINE, id: 'drifting', hostname: 'drifting.example' },
    { ...MACHINE, id: 'shifted', hostname: 'shifted.example' },
    { ...MACHINE, id: 'tardy', hostname: 'tardy.example' },
    { ...MACHINE, id: 'echoing', hostname: 'echoing.example', interval: '30s' },
    {
      ...MACHINE,
      id: 'guest',
      hostname: 'guest.example',
      from: '2025-02-07T06:30Z',
      until: '2025-02-08T18:00Z',
      services: [{ id: 'visitor', name: 'Visitor', type: 'web', port: 8080 }],
    },
  ],
  disturbances: [
    { kind: 'gap', assets: ['silent'], start: '2025-02-08T10:00Z', end: '2025-02-08T10:45Z' },
    { kind: 'gap', assets: ['silent', 'web'], metrics: ['response_time_ms'], per_day: 3, minutes: 20 },
    { kind: 'flatline', assets: ['stuck'], metrics: ['cpu_usage'], start: '2025-02-07T20:00Z', minutes: 600 },
    {
      kind: 'spike',
      assets: ['spiky'],
      metrics: ['memory_usage'],
      start: '2025-02-08T14:03Z',
      minutes: 1,
      by: 45,
    },
    { kind: 'spike', assets: ['spiky'], metrics: ['cpu_usage'], per_day: 2.5, minutes: 2, by: 60 },
    { kind: 'drift', assets: ['drifting'], start: '2025-02-08', end: '2025-02-08T12:00Z', by: 30 },
    { kind: 'level_shift', assets: ['shifted'], metrics: ['io_wait'], start: '2025-02-08T06:00Z', by: 25 },
    { kind: 'late', assets: ['tardy'], start: '2025-02-08T03:00Z', minutes: 30, delay_minutes: 90 },
    { kind: 'duplicate', assets: ['echoing'], start: '2025-02-08T11:50Z', minutes: 20 },
    { kind: 'gap', assets: ['echoing'], start: '2025-02-08T12:00Z', minutes: 5 },
  ],
};
