/** The default fleet: the manual's ten machines with their 22 services and two backup jobs. */
import { buildFleet, DEFAULT_TIMEZONE } from './build.js';
import type { FleetFile, MachineEntry, ServiceEntry } from './file.js';
import type { AssetData, Fleet, MachineType, PatternName } from './types.js';

const CLUSTER_NODE = 'pve-node-01';
const GUEST_OS = 'Ubuntu 22.04 LTS';

/** Cores, gigabytes of memory, gigabytes of disk. */
type Size = readonly [cores: number, memoryGb: number, storageGb: number];

function machine(
  type: MachineType,
  id: string,
  hostname: string,
  pattern: PatternName,
  [cpu_cores, memory_gb, storage_gb]: Size,
  data: AssetData,
  services: readonly ServiceEntry[],
): MachineEntry {
  return { id, type, hostname, pattern, data: { cpu_cores, memory_gb, storage_gb, ...data }, services };
}

function service(
  id: string,
  name: string,
  port: number,
  type: string,
  behaviour: Pick<ServiceEntry, 'planned_downtime' | 'degrades_with_memory'> = {},
): ServiceEntry {
  return { id, name, type, port, ...behaviour };
}

const VM = { hypervisor: CLUSTER_NODE, os: GUEST_OS };
const CONTAINER = { hypervisor: CLUSTER_NODE, container_type: 'LXC', os: GUEST_OS };

/** As `seed-database fleet` prints it, and as examples/fleets/default.yaml has it. */
export const DEFAULT_FILE: FleetFile = {
  machines: [
    machine(
      'proxmox_node',
      CLUSTER_NODE,
      'PVE-HOST-01',
      'stable_with_io_spikes',
      [32, 128, 2000],
      { hypervisor_version: '7.4-3', cluster_name: 'production' },
      [service('svc-pveproxy-01', 'Proxmox Web Interface', 8006, 'web')],
    ),
    machine('vm', 'vm-101', 'DB-SERVER-PROD', 'cpu_spikes_business_hours', [8, 32, 500], VM, [
      service('svc-mysql-101', 'MySQL Database', 3306, 'database'),
      service('svc-reporting-101', 'Reporting Service', 8080, 'application', {
        planned_downtime: '23:00-01:00',
      }),
    ]),
    machine('vm', 'vm-102', 'WEB-SERVER-01', 'high_load_business_hours', [4, 16, 200], VM, [
      service('svc-nginx-102', 'Nginx', 80, 'web'),
      service('svc-php-fpm-102', 'PHP-FPM', 9000, 'application'),
    ]),
    machine('vm', 'vm-103', 'APP-SERVER-JAVA', 'memory_leak_pattern', [6, 24, 300], VM, [
      service('svc-tomcat-103', 'Apache Tomcat', 8080, 'application', { degrades_with_memory: true }),
      service('svc-elasticsearch-103', 'Elasticsearch', 9200, 'search'),
    ]),
    machine('vm', 'vm-104', 'DEV-SERVER-01', 'development_pattern', [4, 16, 250], VM, [
      service('svc-jenkins-104', 'Jenkins', 8080, 'ci'),
      service('svc-gitlab-runner-104', 'GitLab Runner', 8093, 'ci'),
      service('svc-sonarqube-104', 'SonarQube', 9000, 'ci'),
    ]),
    machine('vm', 'vm-105', 'MAIL-SERVER-01', 'email_server_pattern', [4, 12, 500], VM, [
      service('svc-postfix-105', 'Postfix SMTP', 25, 'mail'),
      service('svc-dovecot-105', 'Dovecot IMAP', 993, 'mail'),
      service('svc-rspamd-105', 'Rspamd', 11_332, 'mail'),
    ]),
    machine('container', 'ct-201', 'CACHE-SERVER-01', 'volatile_load', [2, 8, 50], CONTAINER, [
      service('svc-redis-201', 'Redis', 6379, 'cache'),
      service('svc-memcached-201', 'Memcached', 11_211, 'cache'),
    ]),
    machine('container', 'ct-202', 'MONITORING-01', 'stable_low_load', [2, 4, 100], CONTAINER, [
      service('svc-prometheus-202', 'Prometheus', 9090, 'monitoring'),
      service('svc-grafana-202', 'Grafana', 3000, 'monitoring'),
      service('svc-alertmanager-202', 'Alertmanager', 9093, 'monitoring'),
    ]),
    machine(
      'physical_host',
      'physical-01',
      'BACKUP-SERVER-01',
      'io_wait_nights',
      [16, 64, 10_000],
      { manufacturer: 'Dell', model: 'PowerEdge R740', location: 'Datacenter Rack A1' },
      [
        service('svc-bacula-physical-01', 'Bacula', 9101, 'backup'),
        service('svc-acronis-agent-physical-01', 'Acronis Agent', 9876, 'backup'),
      ],
    ),
    machine(
      'physical_host',
      'physical-02',
      'NAS-SERVER-01',
      'stable_with_io_spikes',
      [8, 32, 50_000],
      { manufacturer: 'Synology', model: 'RackStation RS3621xs+', location: 'Datacenter Rack A2' },
      [
        service('svc-nfs-physical-02', 'NFS', 2049, 'storage'),
        service('svc-smb-physical-02', 'SMB', 445, 'storage'),
      ],
    ),
  ],
  jobs: [
    {
      id: 'backup-job-001',
      name: 'Daily VM Backup',
      schedule: 'daily_2am',
      type: 'incremental',
      retention_days: 30,
      targets: ['vm-101', 'vm-102', 'vm-103'],
    },
    {
      id: 'backup-job-002',
      name: 'Weekly Full Backup',
      schedule: 'weekly_sunday_1am',
      type: 'full',
      retention_days: 90,
      targets: ['vm-101', 'vm-102', 'vm-103', 'vm-104', 'vm-105'],
    },
  ],
};

export const DEFAULT_FLEET: Fleet = buildFleet({ file: DEFAULT_FILE, scale: 1, timezone: DEFAULT_TIMEZONE });
