//! One link, all dialects: what is made through one is read, redirected and counted through every other.
//!
//! A row a dialect: how it makes a link, how it finds one that it did not make and what it must then show, and
//! where it sends visitors. Every maker meets every reader, so a new row is checked against all.

use super::replay::Stage;

/// One dialect, or one command.
struct Row {
    name: &'static str,
    /// A fixture that makes a link, and captures its `code`; or the arguments of a command, if it starts with
    /// `$ `.
    makes: &'static str,
    /// The title that it gives, as JSON.
    title: &'static str,
    destination: &'static str,
    /// SPEC 3: the status is the link's, whoever asks.
    status: &'static str,
    /// Whether its links have what makes a link of the workspace dialect (SPEC 7: a `type`).
    typed: bool,
    /// A fixture that finds the link of `code`, by this dialect's own name for it, and captures `clicks`.
    reads: &'static str,
    /// Where this dialect's short URLs are.
    visits: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        name: "tracking",
        makes: r#"
# tracking makes
POST /api/link-tracking/create

{"original_url": "https://tracking.example/a?b=c", "link_function": "Matrix", "description": "Made by tracking"}

=> 201

{"tracking_id": "<word as code>", "redirect_url": "https://yourdomain.com/track/<word as code>", "...": 0}
"#,
        title: "null",
        destination: "https://tracking.example/a?b=c",
        status: "302",
        typed: false,
        reads: r#"
# tracking reads
GET /api/link-tracking/analytics/{{code}}

=> 200

{"link_info": {"tracking_id": "{{code}}", "original_url": "{{destination}}", "is_active": true, "...": 0},
 "click_statistics": {"total_clicks": "<int as clicks>", "...": 0}, "...": 0}
"#,
        visits: "/track/",
    },
    Row {
        name: "linktrack",
        makes: r#"
# linktrack makes
GET /api/v1_0/makeLink?login={{login}}&pass={{token}}&external_url=https%3A%2F%2Flinktrack.example%2F&title=Made%20by%20%3Clinktrack%3E%20%26%20co
Authorization: none

=> 200

https://yourdomain.com/<word as code>
"#,
        title: r#""Made by <linktrack> & co""#,
        destination: "https://linktrack.example/",
        status: "302",
        typed: false,
        reads: r#"
# linktrack reads
GET /api/v1_0/getLink?login={{login}}&pass={{token}}&redirect_hash={{code}}&format=json
Authorization: none

=> 200

{"redirect_hash": "{{code}}", "link": "https://yourdomain.com/{{code}}", "external_url": "{{destination}}",
 "title": {{title}}, "host": "yourdomain.com", "is_active": 1, "count_total": "<int as clicks>", "...": 0}

# linktrack lists
GET /api/v1_0/getLinks?login={{login}}&pass={{token}}&links={{code}}&format=json
Authorization: none

=> 200

{"links": [{"redirect_hash": "{{code}}", "external_url": "{{destination}}", "title": {{title}}, "...": 0}]}
"#,
        visits: "/",
    },
    Row {
        name: "golinks",
        makes: r#"
# golinks makes
POST /api/links

{"destination_url": "https://golinks.example/", "code": "matrix-golinks", "title": "Made by golinks", "status": 301,
 "attributes": {"type": "storefront", "destinationSlug": "shop", "utmName": "matrix"}}

=> 200

{"link": {"code": "<word as code>", "...": 0}, "...": 0}
"#,
        title: r#""Made by golinks""#,
        destination: "https://golinks.example/",
        status: "301",
        typed: true,
        reads: r#"
# golinks finds
GET /api/links?q={{code}}

=> 200

{"links": [{"id": "<int as id>", "code": "{{code}}", "clicks": "<int as clicks>", "...": 0}], "...": 0}

# golinks reads
GET /api/links/{{id}}

=> 200

{"link": {"id": {{id}}, "code": "{{code}}", "destination_url": "{{destination}}", "title": {{title}},
 "status": {{status}}, "active": true, "domain": null, "clicks": "<int as clicks>", "...": 0}, "...": 0}

# golinks counts
GET /api/stats/link/{{id}}

=> 200
"#,
        visits: "/",
    },
    Row {
        name: "linkpack",
        makes: r#"
# linkpack makes
POST /api/v1/shorten

{"longUrl": "https://linkpack.example/#top", "shortCode": "matrix-linkpack", "title": "Made by linkpack"}

=> 200

{"shortCode": "<word as code>", "...": 0}
"#,
        title: r#""Made by linkpack""#,
        destination: "https://linkpack.example/#top",
        status: "307",
        typed: false,
        reads: r#"
# linkpack finds
GET /api/v1/stats/{{code}}

=> 200

{"link": {"id": "<uuid as uuid>", "longUrl": "{{destination}}", "shortCode": "{{code}}"}, "totalClicks": "<int as clicks>", "...": 0}

# linkpack reads, by an edit of nothing
PATCH /api/v1/link/{{uuid}}

{}

=> 200

{"id": "{{uuid}}", "shortCode": "{{code}}", "shortUrl": "https://yourdomain.com/{{code}}", "longUrl": "{{destination}}",
 "title": {{title}}, "...": 0}
"#,
        visits: "/",
    },
    Row {
        name: "workspace",
        makes: r#"
# workspace makes
POST /api/v1/workspace/{{workspace}}/tracking-links

{"type": "vcard", "name": "Made by workspace", "destinationSlug": "card", "baseUrl": "https://workspace.example"}

=> 201

{"shortUrl": "https://yourdomain.com/<word as code>", "...": 0}
"#,
        title: r#""Made by workspace""#,
        destination: "https://workspace.example/vcard/card?utm_source=made-by-workspace",
        status: "302",
        typed: true,
        reads: r#"
# workspace reads
PATCH /api/v1/workspace/{{workspace}}/tracking-links/{{hex}}

{"isActive": true}

=> 200

{"id": "{{hex}}", "name": {{title}}, "shortUrl": "https://yourdomain.com/{{code}}", "fullUrl": "{{destination}}", "isActive": true, "...": 0}
"#,
        visits: "/",
    },
    Row {
        name: "link add",
        makes: "$ link add matrix-command https://command.example/ --title Typed --status 308",
        title: r#""Typed""#,
        destination: "https://command.example/",
        status: "308",
        typed: false,
        reads: "$ link get",
        visits: "/",
    },
    Row {
        name: "import",
        makes: "$ import matrix.csv",
        title: r#""Read, \"as\" is""#,
        destination: "https://import.example/",
        status: "302",
        typed: false,
        reads: "$ stats",
        visits: "/",
    },
];

const IMPORTED: &str =
    "code,destination_url,title\nmatrix-import,https://import.example/,\"Read, \"\"as\"\" is\"\n";

#[test]
fn made_through_one_and_served_through_all() {
    let mut stage = Stage::new(&["--no-rate-limit"]);
    stage.learn("workspace", &["workspace", "list"], "/0/workspace_id");
    for maker in ROWS {
        make(&mut stage, maker);
        for reader in ROWS {
            read(&mut stage, maker, reader);
            visit(&mut stage, maker, reader);
        }
        stage.await_clicks("{{code}}", ROWS.len() as u64);
        for reader in ROWS.iter().filter(|reader| reader.name != "workspace") {
            read(&mut stage, maker, reader);
            let clicks = stage.captured("clicks");
            assert_eq!(clicks, ROWS.len().to_string(), "{} of {}", reader.name, maker.name);
        }
    }
}

fn make(stage: &mut Stage, maker: &Row) {
    let Row { title, destination, status, .. } = *maker;
    for (name, value) in [("title", title), ("destination", destination), ("status", status)] {
        stage.call(name, value);
    }
    let Some(command) = maker.makes.strip_prefix("$ ") else {
        stage.replay(maker.makes);
        return;
    };
    let file = stage.write("matrix.csv", IMPORTED);
    let command: Vec<_> = command.split(' ').collect();
    let code = match command.as_slice() {
        ["import", _] => "matrix-import",
        [_, _, code, ..] => code,
        _ => panic!("no code in {command:?}"),
    };
    let of_file = |word| if word == "matrix.csv" { file.as_str() } else { word };
    stage.run(&command.iter().copied().map(of_file).collect::<Vec<_>>());
    stage.call("code", code).server.await_link(code);
}

/// The reader finds the link and shows it as it was made.
fn read(stage: &mut Stage, maker: &Row, reader: &Row) {
    if let Some(command) = reader.reads.strip_prefix("$ ") {
        let code = stage.captured("code").to_owned();
        let words: Vec<_> = command.split(' ').chain([code.as_str()]).collect();
        stage.learn("clicks", &words, "/clicks");
        if command == "link get" {
            let shown = stage.learn("seen", &words, "/destination_url").captured("seen");
            assert_eq!(shown, maker.destination, "{} of {}", reader.name, maker.name);
        }
    } else if reader.name != "workspace" {
        stage.replay(reader.reads);
    } else {
        read_typed(stage, maker, reader);
    }
}

/// SPEC 7: only links with a type are listed; others are nobody's there.
fn read_typed(stage: &mut Stage, maker: &Row, reader: &Row) {
    let list = "# workspace lists\nGET /api/v1/workspace/{{workspace}}/tracking-links?limit=1\n\n=> 200\n\n";
    let newest = r#"{"links": [{"id": "<word as hex>", "shortUrl": "https://yourdomain.com/<word as newest>", "...": 0}], "...": 0}"#;
    if maker.typed {
        stage.replay(&format!("{list}{newest}")).replay(reader.reads);
        assert_eq!(stage.captured("newest"), stage.captured("code"), "of {}", maker.name);
    } else if ROWS.iter().take_while(|row| row.name != maker.name).any(|row| row.typed) {
        stage.replay(&format!("{list}{newest}"));
        assert_ne!(stage.captured("newest"), stage.captured("code"), "of {}", maker.name);
    } else {
        stage.replay(&format!("{list}{{\"links\": []}}"));
    }
}

fn visit(stage: &mut Stage, maker: &Row, reader: &Row) {
    let (name, path) = (reader.name, reader.visits);
    stage.replay(&format!(
        "# {} visited by way of {name}\nGET {path}{{{{code}}}}\nAuthorization: none\n\n=> {}\nLocation: {{{{destination}}}}\n",
        maker.name, maker.status
    ));
}
