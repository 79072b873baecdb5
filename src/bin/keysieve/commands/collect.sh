#!/bin/sh
# Collects what AWS knows about access keys into a folder, by `aws`. It only reads, and needs the permissions that
# `keysieve collect --policy` prints. Run it with credentials of your own, never with a leaked key:
#
#   sh collect.sh [FOLDER]
#
# Exit status: 0 everything was collected; 2 something was not, and is named.
set -u
umask 077
# SETTINGS
out=${1:-evidence}
failed=0
AWS_PAGER='' AWS_RETRY_MODE=${AWS_RETRY_MODE:-adaptive} AWS_MAX_ATTEMPTS=${AWS_MAX_ATTEMPTS:-10}
export AWS_PAGER AWS_RETRY_MODE AWS_MAX_ATTEMPTS

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

# save FILE COMMAND...: what the command writes, whole or not at all.
save() {
  file=$out/$1
  shift
  if "$@" > "$file.part"; then
    mv "$file.part" "$file"
  else
    rm -f "$file.part"
    printf 'not collected: %s\n' "$file" >&2
    failed=2
  fi
}

# The answer to this call has no key ID in it.
last_used() {
  answer=$(aws iam get-access-key-last-used --access-key-id "$1" --output json) || return 1
  printf '{"AccessKeyId": "%s", "Answer": %s}\n' "$1" "$answer"
}

command -v aws > /dev/null || fail "aws is not installed: the command line of AWS is needed, https://aws.amazon.com/cli/"
mkdir -p "$out" || fail "cannot make $out"
caller=$(aws sts get-caller-identity --query Arn --output text) || fail "aws has no credentials that work"
partition=$(printf '%s\n' "$caller" | cut -d : -f 2)
here=$(printf '%s\n' "$caller" | cut -d : -f 5)
if [ -n "$account" ] && [ "$account" != "$here" ]; then
  fail "these are credentials of account $here, not of $account"
fi
for key in $keys; do
  [ "$key" != "${AWS_ACCESS_KEY_ID:-}" ] || fail "$key is the key that is asked about: use other credentials"
done

# Who has which keys, and root.
tries=0
until [ "$(aws iam generate-credential-report --query State --output text)" = COMPLETE ]; do
  tries=$((tries + 1))
  if [ "$tries" -ge 30 ]; then break; fi
  sleep 2
done
save credential-report.json aws iam get-credential-report --output json
save account-summary.json aws iam get-account-summary --output json
save authorization-details.json aws iam get-account-authorization-details --output json
if [ -z "$users" ]; then
  users=$(aws iam list-users --query 'Users[].UserName' --output text) || failed=2
fi
for user in $users; do
  save "keys-$user.json" aws iam list-access-keys --user-name "$user" --output json
done
for key in $keys; do
  case $key in
    AKIA*) save "last-used-$key.json" last_used "$key" ;;
  esac
done
for policy in AWSCompromisedKeyQuarantine AWSCompromisedKeyQuarantineV2 AWSCompromisedKeyQuarantineV3 AWSCompromisedKeyQuarantineV4; do
  save "entities-$policy.json" aws iam list-entities-for-policy --policy-arn "arn:$partition:iam::aws:policy/$policy" --output json
done

# What the keys did: 90 days at most, and each region by itself. Global services are in the first region of the partition.
if [ -z "$regions" ] && [ -n "$keys" ]; then
  regions=$(aws ec2 describe-regions --query 'Regions[].RegionName' --output text) || failed=2
fi
for region in $regions; do
  for key in $keys; do
    save "events-$key-$region.json" aws cloudtrail lookup-events --region "$region" \
      --lookup-attributes "AttributeKey=AccessKeyId,AttributeValue=$key" --output json
  done
done
if [ -n "$trail" ]; then
  aws s3 sync "$trail" "$out/trail" --only-show-errors || failed=2
fi

# What it cost, and what AWS says. The second needs a support plan.
save cost.json aws ce get-cost-and-usage --time-period "Start=$cost_from,End=$cost_to" --granularity DAILY \
  --metrics UnblendedCost --group-by Type=DIMENSION,Key=SERVICE Type=DIMENSION,Key=REGION --output json
save health-events.json aws health describe-events --region us-east-1 --filter services=RISK --output json

if [ "$failed" -eq 0 ]; then
  printf 'everything is in %s\n' "$out"
else
  printf 'what could be collected is in %s\n' "$out" >&2
fi
exit "$failed"
