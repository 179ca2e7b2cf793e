"""The default fleet, series and collections that the peers load: the loader's shape, not its model."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.database import Database

ENVIRONMENT = "development"
MINUTES_PER_DAY = 1440
END = datetime(2025, 2, 9, tzinfo=timezone.utc)
"""End of every window (the manual's example), exclusive."""

# asset_id, hostname, asset_type, services (asset_id, name, port)
MACHINES: list[tuple[str, str, str, list[tuple[str, str, int]]]] = [
    ("pve-node-01", "PVE-HOST-01", "proxmox_node", [("svc-pveproxy-01", "Proxmox Web Interface", 8006)]),
    (
        "vm-101",
        "DB-SERVER-PROD",
        "vm",
        [("svc-mysql-101", "MySQL Database", 3306), ("svc-reporting-101", "Reporting Service", 8080)],
    ),
    ("vm-102", "WEB-SERVER-01", "vm", [("svc-nginx-102", "Nginx", 80), ("svc-php-fpm-102", "PHP-FPM", 9000)]),
    (
        "vm-103",
        "APP-SERVER-JAVA",
        "vm",
        [("svc-tomcat-103", "Apache Tomcat", 8080), ("svc-elasticsearch-103", "Elasticsearch", 9200)],
    ),
    (
        "vm-104",
        "DEV-SERVER-01",
        "vm",
        [
            ("svc-jenkins-104", "Jenkins", 8080),
            ("svc-gitlab-runner-104", "GitLab Runner", 8093),
            ("svc-sonarqube-104", "SonarQube", 9000),
        ],
    ),
    (
        "vm-105",
        "MAIL-SERVER-01",
        "vm",
        [
            ("svc-postfix-105", "Postfix SMTP", 25),
            ("svc-dovecot-105", "Dovecot IMAP", 993),
            ("svc-rspamd-105", "Rspamd", 11332),
        ],
    ),
    (
        "ct-201",
        "CACHE-SERVER-01",
        "container",
        [("svc-redis-201", "Redis", 6379), ("svc-memcached-201", "Memcached", 11211)],
    ),
    (
        "ct-202",
        "MONITORING-01",
        "container",
        [
            ("svc-prometheus-202", "Prometheus", 9090),
            ("svc-grafana-202", "Grafana", 3000),
            ("svc-alertmanager-202", "Alertmanager", 9093),
        ],
    ),
    (
        "physical-01",
        "BACKUP-SERVER-01",
        "physical_host",
        [
            ("svc-bacula-physical-01", "Bacula", 9101),
            ("svc-acronis-agent-physical-01", "Acronis Agent", 9876),
        ],
    ),
    (
        "physical-02",
        "NAS-SERVER-01",
        "physical_host",
        [("svc-nfs-physical-02", "NFS", 2049), ("svc-smb-physical-02", "SMB", 445)],
    ),
]

JOBS = ["backup-job-001", "backup-job-002"]

# metric_name, unit, mean, amplitude of its day
MACHINE_METRICS = [
    ("cpu_usage", "percentage", 40.0, 25.0),
    ("memory_usage", "percentage", 50.0, 15.0),
    ("io_wait", "percentage", 10.0, 6.0),
]
POLLING = [
    ("availability_status", "percentage", 100.0, 0.0),
    ("response_time_ms", "milliseconds", 80.0, 40.0),
]
BACKUP = ("backup_status", "boolean", 1.0, 0.0)


@dataclass(frozen=True)
class Series:
    """One metric of one asset."""

    asset_id: str
    asset_type: str
    metric_name: str
    unit: str
    mean: float
    amplitude: float


def minute_series() -> list[Series]:
    """The 94 series with a record every minute: three of each machine, two of each machine and service."""
    series: list[Series] = []
    for asset_id, _, asset_type, services in MACHINES:
        series += [Series(asset_id, asset_type, *metric) for metric in MACHINE_METRICS + POLLING]
        series += [
            Series(service_id, "service", *metric) for service_id, _, _ in services for metric in POLLING
        ]
    return series


def backup_series() -> list[Series]:
    """The ten series with a record a day."""
    return [Series(asset_id, asset_type, *BACKUP) for asset_id, _, asset_type, _ in MACHINES]


def count_records(days: int) -> int:
    """Records of a window of whole days: 135,370 a day."""
    return days * (MINUTES_PER_DAY * len(minute_series()) + len(backup_series()))


def assets() -> list[dict[str, Any]]:
    """The documents of `assets`, with the fields that are indexed."""
    documents: list[dict[str, Any]] = []

    def add(asset_id: str, asset_type: str, **fields: Any) -> None:
        documents.append(
            {"_id": asset_id, "asset_id": asset_id, "asset_type": asset_type, **fields, "last_updated": END}
        )

    for asset_id, hostname, asset_type, services in MACHINES:
        add(asset_id, asset_type, hostname=hostname, data={"status": "running"})
        for service_id, name, port in services:
            add(
                service_id,
                "service",
                service_name=name,
                data={"parent_asset_id": asset_id, "status": "running", "port": port},
            )
    for job in JOBS:
        add(job, "acronis_backup_job", data={"status": "running"})
    return documents


def prepare(db: Database[Any], layout: str) -> None:
    """Makes the collections and indexes of a layout; fails where `metrics` is there already."""
    if layout == "timeseries":
        timeseries = {"timeField": "timestamp", "metaField": "meta", "granularity": "minutes"}
        metrics = db.create_collection("metrics", timeseries=timeseries)
        keys = [["meta.asset_id", "timestamp"], ["meta.metric_name", "timestamp"]]
    else:
        metrics = db.create_collection("metrics")
        keys = [["asset_id", "metric_name", "timestamp"]]
    metrics.create_indexes([IndexModel([(field, ASCENDING) for field in key]) for key in keys])
    indexed = ["asset_type", "hostname", "data.parent_asset_id", "last_updated"]
    db["assets"].create_indexes([IndexModel([(field, ASCENDING)]) for field in indexed])


def start_of(days: int) -> datetime:
    """Start of the window of so many days."""
    return END - timedelta(days=days)
