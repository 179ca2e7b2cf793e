/** The default fleet: the manual's ten machines with their 22 services and two backup jobs. */
import type { BackupJob, DowntimeWindow, Fleet, Machine, PatternName, Service } from './types.js';

const CLUSTER_NODE = 'pve-node-01';
const GUEST_OS = 'Ubuntu 22.04 LTS';

interface Size {
  readonly cores: number;
  readonly memoryGb: number;
  readonly diskGb: number;
}

function size(cores: number, memoryGb: number, diskGb: number): Size {
  return { cores, memoryGb, diskGb };
}

function sizeFields({ cores, memoryGb, diskGb }: Size) {
  return { cpu_cores: cores, memory_gb: memoryGb, storage_gb: diskGb };
}

function proxmoxNode(assetId: string, hostname: string, pattern: PatternName, s: Size): Machine {
  const data = {
    status: 'running',
    ...sizeFields(s),
    hypervisor_version: '7.4-3',
    cluster_name: 'production',
  };
  return { assetId, assetType: 'proxmox_node', hostname, pattern, data };
}

function vm(assetId: string, hostname: string, pattern: PatternName, s: Size): Machine {
  const data = { status: 'running', ...sizeFields(s), hypervisor: CLUSTER_NODE, os: GUEST_OS };
  return { assetId, assetType: 'vm', hostname, pattern, data };
}

function container(assetId: string, hostname: string, pattern: PatternName, s: Size): Machine {
  const data = {
    status: 'running',
    ...sizeFields(s),
    hypervisor: CLUSTER_NODE,
    container_type: 'LXC',
    os: GUEST_OS,
  };
  return { assetId, assetType: 'container', hostname, pattern, data };
}

function physicalHost(
  assetId: string,
  hostname: string,
  pattern: PatternName,
  s: Size,
  hardware: { readonly manufacturer: string; readonly model: string; readonly location: string },
): Machine {
  const data = { status: 'running', ...sizeFields(s), ...hardware };
  return { assetId, assetType: 'physical_host', hostname, pattern, data };
}

function service(
  assetId: string,
  serviceName: string,
  hostId: string,
  port: number,
  serviceType: string,
  behaviour: { readonly plannedDowntime?: DowntimeWindow; readonly degradesWithMemory?: boolean } = {},
): Service {
  const data = { parent_asset_id: hostId, status: 'running', service_type: serviceType, port };
  return { assetId, assetType: 'service', serviceName, hostId, ...behaviour, data };
}

function backupJob(
  assetId: string,
  jobName: string,
  schedule: BackupJob['schedule'],
  backupType: string,
  retentionDays: number,
  targets: readonly string[],
): BackupJob {
  const data = {
    job_name: jobName,
    status: 'running',
    schedule,
    target_assets: targets,
    backup_type: backupType,
    retention_days: retentionDays,
  };
  return { assetId, assetType: 'acronis_backup_job', schedule, targets, data };
}

const hour = (h: number) => h * 60;

export const DEFAULT_FLEET: Fleet = {
  machines: [
    proxmoxNode(CLUSTER_NODE, 'PVE-HOST-01', 'stable_with_io_spikes', size(32, 128, 2000)),
    vm('vm-101', 'DB-SERVER-PROD', 'cpu_spikes_business_hours', size(8, 32, 500)),
    vm('vm-102', 'WEB-SERVER-01', 'high_load_business_hours', size(4, 16, 200)),
    vm('vm-103', 'APP-SERVER-JAVA', 'memory_leak_pattern', size(6, 24, 300)),
    vm('vm-104', 'DEV-SERVER-01', 'development_pattern', size(4, 16, 250)),
    vm('vm-105', 'MAIL-SERVER-01', 'email_server_pattern', size(4, 12, 500)),
    container('ct-201', 'CACHE-SERVER-01', 'volatile_load', size(2, 8, 50)),
    container('ct-202', 'MONITORING-01', 'stable_low_load', size(2, 4, 100)),
    physicalHost('physical-01', 'BACKUP-SERVER-01', 'io_wait_nights', size(16, 64, 10_000), {
      manufacturer: 'Dell',
      model: 'PowerEdge R740',
      location: 'Datacenter Rack A1',
    }),
    physicalHost('physical-02', 'NAS-SERVER-01', 'stable_with_io_spikes', size(8, 32, 50_000), {
      manufacturer: 'Synology',
      model: 'RackStation RS3621xs+',
      location: 'Datacenter Rack A2',
    }),
  ],
  services: [
    service('svc-pveproxy-01', 'Proxmox Web Interface', CLUSTER_NODE, 8006, 'web'),
    service('svc-mysql-101', 'MySQL Database', 'vm-101', 3306, 'database'),
    service('svc-reporting-101', 'Reporting Service', 'vm-101', 8080, 'application', {
      plannedDowntime: { from: hour(23), to: hour(1) },
    }),
    service('svc-nginx-102', 'Nginx', 'vm-102', 80, 'web'),
    service('svc-php-fpm-102', 'PHP-FPM', 'vm-102', 9000, 'application'),
    service('svc-tomcat-103', 'Apache Tomcat', 'vm-103', 8080, 'application', { degradesWithMemory: true }),
    service('svc-elasticsearch-103', 'Elasticsearch', 'vm-103', 9200, 'search'),
    service('svc-jenkins-104', 'Jenkins', 'vm-104', 8080, 'ci'),
    service('svc-gitlab-runner-104', 'GitLab Runner', 'vm-104', 8093, 'ci'),
    service('svc-sonarqube-104', 'SonarQube', 'vm-104', 9000, 'ci'),
    service('svc-postfix-105', 'Postfix SMTP', 'vm-105', 25, 'mail'),
    service('svc-dovecot-105', 'Dovecot IMAP', 'vm-105', 993, 'mail'),
    service('svc-rspamd-105', 'Rspamd', 'vm-105', 11_332, 'mail'),
    service('svc-redis-201', 'Redis', 'ct-201', 6379, 'cache'),
    service('svc-memcached-201', 'Memcached', 'ct-201', 11_211, 'cache'),
    service('svc-prometheus-202', 'Prometheus', 'ct-202', 9090, 'monitoring'),
    service('svc-grafana-202', 'Grafana', 'ct-202', 3000, 'monitoring'),
    service('svc-alertmanager-202', 'Alertmanager', 'ct-202', 9093, 'monitoring'),
    service('svc-bacula-physical-01', 'Bacula', 'physical-01', 9101, 'backup'),
    service('svc-acronis-agent-physical-01', 'Acronis Agent', 'physical-01', 9876, 'backup'),
    service('svc-nfs-physical-02', 'NFS', 'physical-02', 2049, 'storage'),
    service('svc-smb-physical-02', 'SMB', 'physical-02', 445, 'storage'),
  ],
  jobs: [
    backupJob('backup-job-001', 'Daily VM Backup', 'daily_2am', 'incremental', 30, [
      'vm-101',
      'vm-102',
      'vm-103',
    ]),
    backupJob('backup-job-002', 'Weekly Full Backup', 'weekly_sunday_1am', 'full', 90, [
      'vm-101',
      'vm-102',
      'vm-103',
      'vm-104',
      'vm-105',
    ]),
  ],
};
