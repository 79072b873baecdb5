//! Endpoints and credentials of this run: options first, then the variables that AWS's own tools read.

use std::ffi::OsString;
use std::fs;

use keysieve::aws::verify::{
    Credentials, EndpointUrl, Endpoints, PARTITIONS, Partition, Service, Variant, not_asked,
};
use keysieve::secret::Secret;
use ureq::tls::{Certificate, PemItem, RootCerts};

use crate::args::Args;
use crate::failure::Failure;
use crate::input;

/// The variables of the process; an empty one is as good as none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment;

impl Environment {
    /// The text of a variable.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        let text = value.map(OsString::into_string).transpose();
        text.map_err(|_not_shown| Failure::new(format!("{name} is not UTF-8")))
    }

    /// The first that is set, with its name.
    fn first(&self, names: &[&'static str]) -> Result<Option<(&'static str, String)>, Failure> {
        for name in names {
            if let Some(text) = self.text(name)? {
                return Ok(Some((name, text)));
            }
        }
        Ok(None)
    }

    fn is_true(&self, name: &str) -> Result<bool, Failure> {
        let text = self.text(name)?;
        Ok(text.is_some_and(|text| text.eq_ignore_ascii_case("true")))
    }
}

/// Endpoints of this run.
#[derive(Debug)]
pub(crate) struct Places {
    /// Hosts and regions.
    pub(crate) endpoints: Endpoints,
    /// The partitions in which a found key may be, the likeliest first.
    pub(crate) partitions: Vec<&'static Partition>,
    /// The partition of the own credentials.
    pub(crate) own: &'static Partition,
    /// The option or variable that named a place in AWS's stead.
    by: Option<&'static str>,
}

impl Places {
    /// Puts options and variables together.
    pub(crate) fn new(args: &Args, environment: &Environment) -> Result<Self, Failure> {
        let region = match &args.region {
            Some(region) => Some(region.clone()),
            None => environment
                .first(&["AWS_REGION", "AWS_DEFAULT_REGION"])?
                .map(|(_, region)| region),
        };
        let of_region = match &region {
            Some(region) => Some(Partition::of_region(region).ok_or_else(|| {
                Failure::new(format!("no partition of AWS has a region {region}"))
            })?),
            None => None,
        };
        let variant = Variant {
            fips: args.fips || environment.is_true("AWS_USE_FIPS_ENDPOINT")?,
            dual_stack: args.dual_stack || environment.is_true("AWS_USE_DUALSTACK_ENDPOINT")?,
        };
        let found = args.with_found_secret;
        let (sts, sts_by) = instead(args, environment, "AWS_ENDPOINT_URL_STS")?.unzip();
        // Found pairs are no question to IAM.
        let iam = instead(args, environment, "AWS_ENDPOINT_URL_IAM")?.filter(|_| !found);
        let (iam, iam_by) = iam.unzip();
        // A region of the environment is the caller's: an account that a found key is of may not have it.
        let is_callers = found && args.region.is_none() && sts.is_none();
        let by = sts_by.or(iam_by);
        let endpoints = Endpoints {
            sts,
            iam,
            region: region.filter(|_| !is_callers),
            variant,
            unasked: by.filter(|by| by.starts_with("AWS_")),
        };
        let is_instead = endpoints.sts.is_some() || endpoints.iam.is_some();
        if is_instead && variant != Variant::default() {
            return Err(Failure::new(
                "FIPS and dual stack hosts are AWS's own: they do not go with an endpoint URL",
            ));
        }
        let own = match (args.partitions.as_slice(), of_region) {
            ([], None) => &PARTITIONS[0],
            ([], Some(partition)) => partition,
            (named, Some(partition)) if named.contains(&partition) => partition,
            ([first, ..], _) => first,
        };
        let mut partitions = match args.partitions.as_slice() {
            // One place is asked once.
            [] if endpoints.sts.is_some() => vec![own],
            [] => PARTITIONS.iter().filter(|it| it.is_public).collect(),
            named => named.to_vec(),
        };
        // The region says what is likely.
        partitions.sort_by_key(|partition| of_region.is_some_and(|it| it.id != partition.id));
        partitions.dedup_by_key(|partition| partition.id);
        Ok(Self {
            endpoints,
            partitions,
            own,
            by,
        })
    }

    /// Says that it is not AWS that is asked, if another place is.
    pub(crate) fn note(&self) -> Option<String> {
        let by = self.by?;
        let urls = [&self.endpoints.sts, &self.endpoints.iam]
            .into_iter()
            .flatten();
        let mut urls: Vec<String> = urls.map(ToString::to_string).collect();
        urls.dedup();
        Some(format!(
            "note: asked at {} ({by}), not at AWS's own hosts",
            urls.join(", ")
        ))
    }

    /// The partitions to ask about an ID, the likeliest first.
    pub(crate) fn of_key(&self, id: &str) -> Vec<&'static Partition> {
        let mut partitions = self.partitions.clone();
        // IDs of the older kind: these two letters are seen with regions of China only.
        if id
            .get(4..5)
            .is_some_and(|letter| ["O", "P"].contains(&letter))
        {
            partitions.sort_by_key(|partition| partition.id != "aws-cn");
        }
        partitions
    }

    /// The host that a question goes to.
    pub(crate) fn host(&self, service: Service, partition: &Partition) -> String {
        self.endpoints.of(service, partition).origin
    }

    /// The hosts that a question with a found pair may go to.
    pub(crate) fn hosts_of_found(&self, partition: &Partition) -> Vec<String> {
        let home = self.endpoints.at_home(Service::Sts, partition).origin;
        let mut hosts = vec![self.host(Service::Sts, partition), home];
        hosts.dedup();
        hosts
    }
}

/// The place that is asked in place of a service's own, and the name of what says so.
fn instead(
    args: &Args,
    environment: &Environment,
    variable: &'static str,
) -> Result<Option<(EndpointUrl, &'static str)>, Failure> {
    let (name, text) = match &args.endpoint_url {
        Some(text) => ("--endpoint-url", text.clone()),
        None => match environment.first(&[variable, "AWS_ENDPOINT_URL"])? {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    let parsed = EndpointUrl::parse(&text);
    parsed
        .map(|url| Some((url, name)))
        .map_err(|why| Failure::new(format!("{name}: {why}")))
}

/// The credentials of whoever runs this, from the environment alone.
pub(crate) fn own_credentials(environment: &Environment) -> Result<Credentials, Failure> {
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ];
    let [id, secret, token] = names.map(|name| environment.text(name));
    let (id, secret, token) = (id?, secret?, token?);
    let (Some(id), Some(secret)) = (id, secret) else {
        return Err(Failure::new(
            "your own credentials are needed to look keys up, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
        )
        .hint("a profile, SSO or a role: eval \"$(aws configure export-credentials --format env)\"")
        .hint("a vault: aws-vault exec PROFILE -- keysieve-verify …")
        .hint("--dry-run says what would be asked; --with-found-secret asks with the found pairs"));
    };
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !input::is_key_id(&id) || !is_plain(&secret) || !token.as_deref().is_none_or(is_plain) {
        return Err(Failure::new(
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is not what AWS hands out",
        ));
    }
    // People load a found .env into their shell.
    if let Some(reason) = not_asked(&id).filter(|reason| reason.word == "canary") {
        return Err(
            Failure::new("AWS_ACCESS_KEY_ID is not used; nothing was asked").because(reason),
        );
    }
    if id.starts_with("ASIA") && token.is_none() {
        return Err(Failure::new(
            "AWS_ACCESS_KEY_ID is a temporary key, and AWS_SESSION_TOKEN is not set",
        ));
    }
    Ok(Credentials {
        key_id: id,
        secret_key: Secret::new(secret.as_bytes()),
        session_token: token.map(|token| Secret::new(token.as_bytes())),
    })
}

/// The authorities that are trusted.
pub(crate) fn authorities(args: &Args, environment: &Environment) -> Result<RootCerts, Failure> {
    let path = match &args.ca_bundle {
        Some(path) => path.clone(),
        None => match environment.text("AWS_CA_BUNDLE")? {
            Some(path) => path.into(),
            None => return Ok(RootCerts::WebPki),
        },
    };
    let fail = |what: &str| Failure::new(format!("{} {what}", path.display()));
    let bytes = fs::read(&path).map_err(|error| fail("cannot be read").because(error))?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in ureq::tls::parse_pem(&bytes) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(fail("is no PEM file").because(error)),
        }
    }
    if certificates.is_empty() {
        return Err(fail("holds no certificate"));
    }
    Ok(RootCerts::from(certificates))
}
