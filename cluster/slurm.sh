#!/usr/bin/env bash
# Start Ray across a Slurm allocation and run a sweep on it:
#   sbatch cluster/slurm.sh smt --preset standard --gpus-per-trial 0.25
# What follows the script is what `gx2c sweep` takes. Submit it from the root of the repository, in a
# folder that every node sees. To go on after the time limit, submit the same line with --resume.
#
# Cost: your site's GPU hours: nodes x GPUs x hours, also while the search waits for its last trial.
#SBATCH --job-name=gx2c
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=12:00:00
#SBATCH --output=gx2c-%j.log
set -euo pipefail

: "${GX2C_STORAGE:=$PWD/runs/storage}"  # shared by all nodes; or s3://bucket/folder
: "${GX2C_ENV:=$PWD/.venv}"             # shared too; made here if it is missing
: "${GX2C_PORT:=$((20000 + SLURM_JOB_ID % 10000))}"  # two jobs may share a node
export GX2C_STORAGE RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
if [ $# -eq 0 ]; then
  echo "say which sweep, for example: sbatch cluster/slurm.sh smt --preset standard" >&2
  exit 2
fi

if [ ! -x "$GX2C_ENV/bin/gx2c" ]; then
  python3 -m venv "$GX2C_ENV"
  "$GX2C_ENV/bin/pip" install --quiet -c constraints.txt 'ray[default]==2.60.0' .
  # only from a wheel: compiling would take an hour of the allocation
  "$GX2C_ENV/bin/pip" install --quiet --only-binary=flash-attn -c constraints.txt '.[flash]' \
    || echo 'there is no wheel of flash-attn: attention is computed by SDPA'
fi
export PATH="$GX2C_ENV/bin:$PATH"
test -s ~/.ray/auth_token || ray get-auth-token --generate > /dev/null
chmod 600 ~/.ray/auth_token

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head="${nodes[0]}"
head_ip="$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{print $1}')"

# --block keeps Ray in the foreground of its step, so that Slurm ends exactly what this job started
start() {
  local node="$1"
  shift
  srun --nodes=1 --ntasks=1 --overlap --nodelist="$node" ray start --block \
    --num-cpus="$SLURM_CPUS_PER_TASK" --temp-dir="/tmp/gx2c-$SLURM_JOB_ID" "$@" &
  steps+=($!)
}
steps=()
trap 'kill "${steps[@]}" 2> /dev/null; wait' EXIT
start "$head" --head --node-ip-address="$head_ip" --port="$GX2C_PORT" --include-dashboard=false
for _ in $(seq 60); do
  ray health-check --address "$head_ip:$GX2C_PORT" > /dev/null 2>&1 && break
  sleep 2
done
for node in "${nodes[@]:1}"; do
  start "$node" --address="$head_ip:$GX2C_PORT"
done

# A sweep counts the nodes that are there when it starts
export RAY_ADDRESS="$head_ip:$GX2C_PORT"
python - "${#nodes[@]}" << 'PYTHON'
import sys, time, ray
ray.init(log_to_driver=False)
wanted, end = int(sys.argv[1]), time.monotonic() + 300
while len([n for n in ray.nodes() if n["Alive"]]) < wanted:
    if time.monotonic() > end:
        sys.exit(f"only {len(ray.nodes())} of {wanted} nodes joined within 5 minutes")
    time.sleep(2)
PYTHON
gx2c sweep "$@" --out "${GX2C_OUT:-runs/slurm-$1}"
