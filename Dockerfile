# One image for web, workers and beat; it runs as nobody special and writes only to /var/lib/o2b.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 \
    O2B_HOME=/var/lib/o2b O2B_STATIC_ROOT=/srv/o2b/static
RUN useradd --system --create-home --home-dir /var/lib/o2b o2b
WORKDIR /srv/o2b/app
COPY requirements.lock .
RUN pip install --disable-pip-version-check -r requirements.lock
COPY . .
# No secret is needed to collect files, and none is kept: without a database the key is made up.
RUN O2B_ROLE=collect python manage.py collectstatic --noinput \
    && python manage.py compilemessages \
    && chown -R root:root /srv/o2b \
    && rm -rf /var/lib/o2b/* && chown o2b /var/lib/o2b
USER o2b
VOLUME /var/lib/o2b
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "o2b.servers.probe", "8000"]
CMD ["gunicorn", "o2b.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4", \
     "--no-control-socket"]
