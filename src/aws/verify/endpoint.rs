//! Endpoints of each service of each partition, and the region for which a request is signed.
//!
//! The table is that of botocore 1.43.106 (`data/partitions.json`, the endpoint rules of STS and IAM); its
//! own endpoint tests run below. STS is always asked in a region: the global host refuses some tokens.

use std::fmt;

/// A service that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Security Token Service, one host a region.
    Sts,
    /// Identity and Access Management, one host a partition.
    Iam,
}

impl Service {
    /// Its name in permissions and signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Iam => "iam",
        }
    }
}

/// A part of AWS with accounts and keys of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its name in ARNs.
    pub id: &'static str,
    /// The region that is asked unless another one is named.
    pub region: &'static str,
    /// True if it is reached from the internet.
    pub is_public: bool,
    /// Beginnings of the names of its regions, before the last two words.
    areas: &'static [&'static str],
    suffix: &'static str,
    dual_suffix: &'static str,
    /// The host of IAM: usual, FIPS, dual stack, both.
    iam: [&'static str; 4],
    iam_region: &'static str,
}

/// All partitions, the most used first.
pub const PARTITIONS: &[Partition] = &[
    Partition {
        id: "aws",
        region: "us-east-1",
        is_public: true,
        areas: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
        suffix: "amazonaws.com",
        dual_suffix: "api.aws",
        iam: [
            "iam.amazonaws.com",
            "iam-fips.amazonaws.com",
            "iam.global.api.aws",
            "iam-fips.global.api.aws",
        ],
        iam_region: "us-east-1",
    },
    Partition {
        id: "aws-cn",
        region: "cn-north-1",
        is_public: true,
        areas: &["cn"],
        suffix: "amazonaws.com.cn",
        dual_suffix: "api.amazonwebservices.com.cn",
        iam: [
            "iam.cn-north-1.amazonaws.com.cn",
            "iam-fips.amazonaws.com.cn",
            "iam.global.api.amazonwebservices.com.cn",
            "iam-fips.api.amazonwebservices.com.cn",
        ],
        iam_region: "cn-north-1",
    },
    Partition {
        id: "aws-us-gov",
        region: "us-gov-west-1",
        is_public: true,
        areas: &["us-gov"],
        suffix: "amazonaws.com",
        dual_suffix: "api.aws",
        iam: [
            "iam.us-gov.amazonaws.com",
            "iam.us-gov.amazonaws.com",
            "iam.us-gov.api.aws",
            "iam.us-gov.api.aws",
        ],
        iam_region: "us-gov-west-1",
    },
    Partition {
        id: "aws-eusc",
        region: "eusc-de-east-1",
        is_public: true,
        areas: &["eusc-de"],
        suffix: "amazonaws.eu",
        dual_suffix: "api.amazonwebservices.eu",
        iam: [
            "iam.eusc-de-east-1.amazonaws.eu",
            "iam-fips.amazonaws.eu",
            "iam.global.api.amazonwebservices.eu",
            "iam-fips.api.amazonwebservices.eu",
        ],
        iam_region: "eusc-de-east-1",
    },
    Partition {
        id: "aws-iso",
        region: "us-iso-east-1",
        is_public: false,
        areas: &["us-iso"],
        suffix: "c2s.ic.gov",
        dual_suffix: "api.aws.ic.gov",
        iam: [
            "iam.us-iso-east-1.c2s.ic.gov",
            "iam-fips.us-iso-east-1.c2s.ic.gov",
            "iam.api.aws.ic.gov",
            "iam-fips.api.aws.ic.gov",
        ],
        iam_region: "us-iso-east-1",
    },
    Partition {
        id: "aws-iso-b",
        region: "us-isob-east-1",
        is_public: false,
        areas: &["us-isob"],
        suffix: "sc2s.sgov.gov",
        dual_suffix: "api.aws.scloud",
        iam: [
            "iam.us-isob-east-1.sc2s.sgov.gov",
            "iam-fips.us-isob-east-1.sc2s.sgov.gov",
            "iam.api.aws.scloud",
            "iam-fips.api.aws.scloud",
        ],
        iam_region: "us-isob-east-1",
    },
    Partition {
        id: "aws-iso-e",
        region: "eu-isoe-west-1",
        is_public: false,
        areas: &["eu-isoe"],
        suffix: "cloud.adc-e.uk",
        dual_suffix: "api.cloud-aws.adc-e.uk",
        iam: [
            "iam.eu-isoe-west-1.cloud.adc-e.uk",
            "iam-fips.cloud.adc-e.uk",
            "iam.api.cloud-aws.adc-e.uk",
            "iam-fips.api.cloud-aws.adc-e.uk",
        ],
        iam_region: "eu-isoe-west-1",
    },
    Partition {
        id: "aws-iso-f",
        region: "us-isof-south-1",
        is_public: false,
        areas: &["us-isof"],
        suffix: "csp.hci.ic.gov",
        dual_suffix: "api.aws.hci.ic.gov",
        iam: [
            "iam.us-isof-south-1.csp.hci.ic.gov",
            "iam-fips.csp.hci.ic.gov",
            "iam.api.aws.hci.ic.gov",
            "iam-fips.api.aws.hci.ic.gov",
        ],
        iam_region: "us-isof-south-1",
    },
];

impl Partition {
    /// The partition of that name.
    pub fn named(id: &str) -> Option<&'static Self> {
        PARTITIONS.iter().find(|partition| partition.id == id)
    }

    /// The partition that a region is in, by the form of its name: regions that are new need no new table.
    pub fn of_region(region: &str) -> Option<&'static Self> {
        let mut words = region.rsplitn(3, '-');
        let (number, side, area) = (words.next()?, words.next()?, words.next()?);
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !is_number || side.is_empty() || !side.bytes().all(is_word) {
            return None;
        }
        let mut all = PARTITIONS.iter();
        all.find(|partition| partition.areas.contains(&area))
    }

    /// Returns true for a host of STS or IAM of this partition.
    fn owns(&self, host: &str) -> bool {
        let is_region = |name: &str| Self::of_region(name) == Some(self);
        let is_below = |suffix: &str| {
            let name = host.strip_suffix(suffix);
            let Some(name) = name.and_then(|name| name.strip_suffix('.')) else {
                return false;
            };
            match name.split('.').collect::<Vec<_>>()[..] {
                ["sts"] => true,
                ["sts" | "sts-fips", region] => is_region(region),
                [point, "sts" | "sts-fips" | "iam", region, "vpce"] => {
                    point.starts_with("vpce-") && is_region(region)
                }
                _ => false,
            }
        };
        self.iam.contains(&host) || [self.suffix, self.dual_suffix].into_iter().any(is_below)
    }

    /// The host of a service, and the region to sign for.
    fn host(&self, service: Service, region: &str, variant: Variant) -> (String, String) {
        match service {
            Service::Iam => {
                let column = usize::from(variant.fips) + 2 * usize::from(variant.dual_stack);
                (self.iam[column].to_owned(), self.iam_region.to_owned())
            }
            Service::Sts => {
                // In GovCloud the usual host is the FIPS one.
                let is_plain = !variant.fips || (self.id == "aws-us-gov" && !variant.dual_stack);
                let name = if is_plain { "sts" } else { "sts-fips" };
                let suffix = match variant.dual_stack {
                    true => self.dual_suffix,
                    false => self.suffix,
                };
                (format!("{name}.{region}.{suffix}"), region.to_owned())
            }
        }
    }
}

/// Choice among a service's hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// The host that uses validated cryptography on its side. It does not make this side validated.
    pub fips: bool,
    /// The host that has IPv6 addresses too.
    pub dual_stack: bool,
}

/// A host to ask, and the region to sign for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port.
    pub origin: String,
    /// Value of the `host` header.
    pub host: String,
    /// The region in the signature.
    pub region: String,
}

/// Returns true for a host of STS or IAM that is AWS's by its name, a VPC endpoint's included; it is written as in
/// [`Endpoint::host`]. What customers run below the same names (machines, balancers, services of their own) is not.
pub fn is_aws(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    PARTITIONS.iter().any(|partition| partition.owns(&host))
}

/// A place that is asked in place of AWS's hosts: a VPC endpoint, or an emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointUrl {
    origin: String,
    host: String,
}

impl EndpointUrl {
    /// Reads `https://HOST[:PORT]`; `http` too where the host is this machine. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("expected https://HOST[:PORT]")?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_plain) {
            return Err("expected a host and perhaps a port, and no path, name or query");
        }
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (host, None),
        };
        let address = name.strip_prefix('[').map(|it| it.strip_suffix(']'));
        let is_host = match address {
            Some(address) => address.is_some_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok()),
            None => !name.contains([':', '[', ']']),
        };
        if !is_host {
            return Err("expected a name or an address; one of IPv6 in brackets");
        }
        if name.is_empty() || port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|it| it > 0)) {
            return Err("expected a port from 1 to 65535");
        }
        let usual = match scheme {
            "https" => "443",
            "http" if is_this_machine(name) => "80",
            "http" => {
                return Err("http is for this machine only (localhost, 127.0.0.1); use https");
            }
            _ => return Err("expected https://HOST[:PORT]"),
        };
        // The usual port is not in the header that is signed.
        let host = match port {
            Some(port) if port != usual => host,
            _ => name,
        };
        Ok(Self {
            origin: format!("{scheme}://{host}"),
            host: host.to_owned(),
        })
    }

    /// Returns true if nothing leaves this machine.
    pub fn is_this_machine(&self) -> bool {
        let name = match self.host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => name,
            _ => &self.host,
        };
        is_this_machine(name)
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

/// Returns true for `localhost` and the loopback addresses.
fn is_this_machine(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The endpoints of this run.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// The region that was asked for; it counts in its own partition.
    pub region: Option<String>,
    /// Choice among the hosts.
    pub variant: Variant,
    /// A place in the stead of STS.
    pub sts: Option<EndpointUrl>,
    /// A place in the stead of IAM.
    pub iam: Option<EndpointUrl>,
    /// The variable that named such a place, if nobody did so on purpose for this run: a "no" from there does not count.
    pub unasked: Option<&'static str>,
}

impl Endpoints {
    /// Returns the endpoint of a service of a partition.
    pub fn of(&self, service: Service, partition: &Partition) -> Endpoint {
        let region = self.region_in(partition).unwrap_or(partition.region);
        self.in_region(service, partition, region)
    }

    /// Returns the endpoint of a service in the region of a partition that every account has: elsewhere an account that
    /// has not enabled the region may be answered as if the key did not exist.
    pub fn at_home(&self, service: Service, partition: &Partition) -> Endpoint {
        self.in_region(service, partition, partition.region)
    }

    /// The region that was asked for, if it is of this partition.
    fn region_in(&self, partition: &Partition) -> Option<&str> {
        self.region.as_deref().filter(|region| {
            Partition::of_region(region).is_some_and(|other| other.id == partition.id)
        })
    }

    fn in_region(&self, service: Service, partition: &Partition, region: &str) -> Endpoint {
        let (host, region) = partition.host(service, region, self.variant);
        let instead = match service {
            Service::Sts => &self.sts,
            Service::Iam => &self.iam,
        };
        match instead {
            Some(url) => Endpoint {
                origin: url.origin.clone(),
                host: url.host.clone(),
                region,
            },
            None => Endpoint {
                origin: format!("https://{host}"),
                host,
                region,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// botocore's own endpoint tests, one a line: service, region, `f` for FIPS, `d` for dual stack, URL, and the
    /// region of the signature if it is another.
    const CASES: &str = include_str!("endpoint_tests.txt");

    #[test]
    fn hosts_are_those_of_botocore() {
        let mut seen = 0;
        for line in CASES.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let mut word = || words.next().expect("a word");
            let (service, region, variant, url) = (word(), word(), word(), word());
            let signed = words.next().unwrap_or(region);
            let service = match service {
                "sts" => Service::Sts,
                _ => Service::Iam,
            };
            let endpoints = Endpoints {
                region: Some(region.to_owned()),
                variant: Variant {
                    fips: variant.contains('f'),
                    dual_stack: variant.contains('d'),
                },
                ..Endpoints::default()
            };
            let partition = Partition::of_region(region).expect(region);
            let endpoint = endpoints.of(service, partition);
            assert_eq!(endpoint.origin, url, "{line}");
            assert_eq!(endpoint.region, signed, "{line}");
            seen += 1;
        }
        assert!(seen >= 66, "only {seen} cases seen");
    }

    #[test]
    fn hosts_are_those_of_aws_by_their_names() {
        for partition in PARTITIONS {
            for [fips, dual_stack] in [[false, false], [true, false], [false, true], [true, true]] {
                let variant = Variant { fips, dual_stack };
                for service in [Service::Sts, Service::Iam] {
                    let (host, _) = partition.host(service, partition.region, variant);
                    assert!(is_aws(&host), "{host}");
                }
            }
        }
        for host in [
            "sts.amazonaws.com",
            "STS.eu-west-1.AmazonAWS.com",
            "vpce-0a1b-2c3d.sts.us-east-1.vpce.amazonaws.com",
            "vpce-0a1b-2c3d-us-east-1a.sts.us-east-1.vpce.amazonaws.com",
        ] {
            assert!(is_aws(host), "{host}");
        }
        for host in [
            "",
            "127.0.0.1:5000",
            "localhost",
            "http://sts.amazonaws.com",
            "sts.us-east-1.amazonaws.com:8443",
            "stsamazonaws.com",
            "sts.cn-north-1.amazonaws.com",
            "amazonaws.com.example.org",
            "ec2-192-0-2-1.compute-1.amazonaws.com",
            "abc.execute-api.us-east-1.amazonaws.com",
            "abc.us-east-1.elb.amazonaws.com",
            "sts.s3.amazonaws.com",
            "vpce-0a1b.vpce-svc-0a1b.us-east-1.vpce.amazonaws.com",
        ] {
            assert!(!is_aws(host), "{host}");
        }
    }

    #[test]
    fn a_region_says_its_partition_and_counts_there_only() {
        for (region, partition) in [
            ("us-east-1", Some("aws")),
            ("mx-central-1", Some("aws")),
            ("us-gov-east-1", Some("aws-us-gov")),
            ("cn-northwest-1", Some("aws-cn")),
            ("eusc-de-east-1", Some("aws-eusc")),
            ("us-isob-west-1", Some("aws-iso-b")),
            ("us-east", None),
            ("us-east-1.example.org", None),
            ("us-east@x-1", None),
            ("xx-east-1", None),
            ("", None),
        ] {
            let found = Partition::of_region(region).map(|found| found.id);
            assert_eq!(found, partition, "{region}");
        }
        let endpoints = Endpoints {
            region: Some("eu-west-1".to_owned()),
            ..Endpoints::default()
        };
        let host = |id| {
            let partition = Partition::named(id).expect(id);
            endpoints.of(Service::Sts, partition).host
        };
        assert_eq!(host("aws"), "sts.eu-west-1.amazonaws.com");
        assert_eq!(host("aws-cn"), "sts.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn each_partition_has_a_region_of_its_own() {
        for partition in PARTITIONS {
            let found = Partition::of_region(partition.region).expect(partition.id);
            assert_eq!(found.id, partition.id);
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (text, origin) in [
            (
                "https://vpce-1.sts.us-east-1.vpce.amazonaws.com/",
                Some("https://vpce-1.sts.us-east-1.vpce.amazonaws.com"),
            ),
            ("https://example.org:443", Some("https://example.org")),
            ("https://example.org:8443", Some("https://example.org:8443")),
            ("http://127.0.0.1:5000", Some("http://127.0.0.1:5000")),
            ("http://localhost:80/", Some("http://localhost")),
            ("http://[::1]:5000", Some("http://[::1]:5000")),
            ("http://[::1]", Some("http://[::1]")),
            ("http://example.org", None),
            ("http://127.0.0.1.example.org", None),
            ("https://user@example.org", None),
            ("https://example.org/path", None),
            ("https://example.org?x", None),
            ("https://example.org:0", None),
            ("https://example.org:99999", None),
            ("https://", None),
            ("https://:1", None),
            ("https://a:443:80", None),
            ("https://[x", None),
            ("https://[x]", None),
            ("https://x]", None),
            ("https://::1", None),
            ("ftp://localhost", None),
            ("localhost", None),
        ] {
            let parsed = EndpointUrl::parse(text);
            assert_eq!(
                parsed.as_ref().ok().map(|it| it.origin.as_str()),
                origin,
                "{text}"
            );
        }
        let local = EndpointUrl::parse("http://127.0.0.1:5000").expect("a place");
        assert!(local.is_this_machine());
        let other = EndpointUrl::parse("https://example.org:1").expect("a place");
        assert!(!other.is_this_machine());
    }
}
