//! `Cargo.toml`: reading it, and adding to it without changing the rest.

use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::error::CliError;
use bowline_plan::paths::read_optional;
use bowline_plan::plan::Need;

/// A `Cargo.toml`.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    path: PathBuf,
    document: DocumentMut,
    /// The `Cargo.toml` of the workspace, for inherited keys.
    workspace: Option<DocumentMut>,
}

/// A dependency or features that a package lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lack {
    Crate(Need),
    Features(&'static str, Vec<&'static str>),
}

/// The source of the dependency bowline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BowlineSource {
    Folder(String),
    Version(String),
}

/// Features that a dependency on bowline enables, since cargo unifies the features of a crate.
const BY_BOWLINE: [(&str, &[&str]); 3] = [
    ("chrono", &["clock", "serde", "std"]),
    (
        "diesel",
        &[
            "postgres_backend",
            "chrono",
            "serde_json",
            "r2d2",
            "32-column-tables",
        ],
    ),
    ("serde", &["derive"]),
];

impl Lack {
    /// Returns the line for `Cargo.toml`.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Crate(need) => format!("{} = {}", need.name, dependency(need)),
            Self::Features(name, features) => format!("{name}: features = {features:?}"),
        }
    }

    /// Returns the name for a list.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Crate(need) => need.name.to_owned(),
            Self::Features(name, features) => format!("{name} ({})", features.join(", ")),
        }
    }
}

impl Manifest {
    /// Reads the `Cargo.toml` of a folder; returns `None` if there is none.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, CliError> {
        let path = folder.join("Cargo.toml");
        let Some(document) = parse(&path)? else {
            return Ok(None);
        };
        let mut above = folder.ancestors();
        let workspace = above.find_map(|folder| match parse(&folder.join("Cargo.toml")) {
            Ok(Some(found)) if found.contains_key("workspace") => Some(Ok(found)),
            Err(error) => Some(Err(error)),
            _ => None,
        });
        Ok(Some(Self {
            path,
            document,
            workspace: workspace.transpose()?,
        }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> String {
        self.document.to_string()
    }

    /// Returns the name of the package; `None` for a workspace without a package.
    pub(crate) fn name(&self) -> Option<&str> {
        self.package("name")?.as_str()
    }

    /// Returns true for a workspace without a package.
    pub(crate) fn is_virtual(&self) -> bool {
        self.document.contains_key("workspace") && !self.document.contains_key("package")
    }

    /// Returns true for the root of a workspace.
    pub(crate) fn is_workspace(&self) -> bool {
        self.document.contains_key("workspace")
    }

    /// Returns the members of the workspace, as they are written.
    pub(crate) fn members(&self) -> Vec<String> {
        self.of_workspace("members")
    }

    /// Returns the folders that the workspace excludes, as they are written.
    pub(crate) fn excluded(&self) -> Vec<String> {
        self.of_workspace("exclude")
    }

    fn of_workspace(&self, key: &str) -> Vec<String> {
        let list = self.document.get("workspace");
        let list = list.and_then(|workspace| workspace.get(key)?.as_array());
        let list = list.into_iter().flatten();
        list.filter_map(|item| Some(item.as_str()?.to_owned()))
            .collect()
    }

    /// Returns the edition of the package or of its workspace; the default is 2015.
    pub(crate) fn edition(&self) -> &str {
        let own = self.package("edition");
        let inherited = || {
            let workspace = self.workspace.as_ref()?.get("workspace")?;
            workspace.get("package")?.get("edition")?.as_str()
        };
        match own {
            Some(item) => item.as_str().or_else(inherited).unwrap_or("2015"),
            None => "2015",
        }
    }

    /// Returns the key `package.build`: a file, or false.
    pub(crate) fn build(&self) -> Option<&Value> {
        self.package("build")?.as_value()
    }

    /// Returns the root file of the library.
    pub(crate) fn library(&self) -> &str {
        let library = self.document.get("lib");
        let path = library.and_then(|library| library.get("path")?.as_str());
        path.unwrap_or("src/lib.rs")
    }

    /// Returns the root file of the first program.
    pub(crate) fn program(&self) -> &str {
        let programs = self.document.get("bin").and_then(Item::as_array_of_tables);
        let first = programs.and_then(|programs| programs.get(0));
        let path = first.and_then(|program| program.get("path")?.as_str());
        path.unwrap_or("src/main.rs")
    }

    pub(crate) fn has_bowline(&self) -> bool {
        self.dependency("bowline").is_some()
    }

    /// Returns the needs that the package lacks.
    pub(crate) fn lacks(&self, needs: &[Need]) -> Vec<Lack> {
        needs.iter().filter_map(|need| self.lack(need)).collect()
    }

    fn lack(&self, need: &Need) -> Option<Lack> {
        let Some(dependency) = self.dependency(need.name) else {
            return Some(Lack::Crate(need.clone()));
        };
        let inherited = self.inherited(need.name);
        let has = |feature: &str| {
            let items = [Some(dependency), inherited].into_iter().flatten();
            let mut enabled = items
                .filter_map(|item| item.get("features")?.as_array())
                .flatten();
            let by_bowline = BY_BOWLINE
                .iter()
                .any(|(name, features)| *name == need.name && features.contains(&feature));
            by_bowline
                || enabled.any(|value| {
                    value
                        .as_str()
                        .is_some_and(|enabled| implies(enabled, feature))
                })
        };
        let missing: Vec<_> = need
            .features
            .iter()
            .copied()
            .filter(|feature| !has(feature))
            .collect();
        (!missing.is_empty()).then_some(Lack::Features(need.name, missing))
    }

    /// Returns the needed dependencies, bowline among them, that are optional.
    pub(crate) fn optional(&self, needs: &[Need]) -> Vec<&'static str> {
        let is_optional = |name: &&str| {
            let optional = self.dependency(name).and_then(|item| item.get("optional"));
            optional.and_then(Item::as_bool) == Some(true)
        };
        let names = needs.iter().map(|need| need.name).chain(["bowline"]);
        let mut optional: Vec<&str> = names.filter(is_optional).collect();
        optional.sort_unstable();
        optional.dedup();
        optional
    }

    /// Returns the required version of diesel, if bowline cannot work with it.
    pub(crate) fn unsupported_diesel(&self) -> Option<String> {
        let version = |item: &Item| {
            let text = item.as_str().or_else(|| item.get("version")?.as_str());
            text.map(str::to_owned)
        };
        let required =
            version(self.dependency("diesel")?).or_else(|| version(self.inherited("diesel")?))?;
        let requirement = VersionReq::parse(&required).ok()?;
        let fits = (14..100).any(|patch| requirement.matches(&Version::new(2, 3, patch)));
        (!fits).then_some(required)
    }

    /// Adds bowline, and returns true, unless it is there already.
    pub(crate) fn add_bowline(&mut self, source: &BowlineSource) -> bool {
        if self.has_bowline() {
            return false;
        }
        let value = match source {
            BowlineSource::Version(version) => Value::from(version.as_str()),
            BowlineSource::Folder(folder) => {
                let mut table = InlineTable::new();
                table.insert("path", folder.as_str().into());
                Value::from(table)
            }
        };
        self.insert("bowline", value);
        true
    }

    /// Adds a dependency, or features of one.
    pub(crate) fn add(&mut self, lack: &Lack) {
        match lack {
            Lack::Crate(need) => self.insert(need.name, dependency(need)),
            Lack::Features(name, features) => {
                let dependencies = self.document.get_mut("dependencies");
                let Some(item) = dependencies.and_then(|table| table.get_mut(name)) else {
                    return;
                };
                if let Some(version) = item.as_str().map(str::to_owned) {
                    let mut table = InlineTable::new();
                    table.insert("version", version.into());
                    *item = Item::Value(table.into());
                }
                if let Some(table) = item.as_inline_table_mut() {
                    extend(table, features);
                    // Removes the space before the bracket, which would now be before the comma.
                    table.fmt();
                } else if let Some(table) = item.as_table_like_mut() {
                    extend(table, features);
                }
            }
        }
    }

    fn insert(&mut self, name: &str, value: Value) {
        let dependencies = self
            .document
            .entry("dependencies")
            .or_insert(Item::Table(Table::new()));
        let Some(table) = dependencies.as_table_like_mut() else {
            return;
        };
        let was_sorted = table.iter().map(|(name, _)| name.to_owned()).is_sorted();
        table.insert(name, Item::Value(value));
        if was_sorted {
            table.sort_values();
        }
    }

    fn package(&self, key: &str) -> Option<&Item> {
        self.document.get("package")?.get(key)
    }

    /// Returns a dependency or development dependency.
    fn dependency(&self, name: &str) -> Option<&Item> {
        ["dependencies", "dev-dependencies"]
            .into_iter()
            .find_map(|table| self.document.get(table)?.get(name))
    }

    fn inherited(&self, name: &str) -> Option<&Item> {
        let workspace = self.workspace.as_ref()?.get("workspace")?;
        workspace.get("dependencies")?.get(name)
    }
}

/// Returns true if a feature enables another.
fn implies(enabled: &str, feature: &str) -> bool {
    enabled == feature
        || matches!(
            (enabled, feature),
            ("postgres", "postgres_backend") | ("128-column-tables", "64-column-tables")
        )
}

fn dependency(need: &Need) -> Value {
    if need.features.is_empty() && need.default_features {
        return need.version.into();
    }
    let mut table = InlineTable::new();
    table.insert("version", need.version.into());
    if !need.default_features {
        table.insert("default-features", false.into());
    }
    extend(&mut table, &need.features);
    Value::from(table)
}

fn extend(table: &mut dyn TableLike, features: &[&str]) {
    let list = table
        .entry("features")
        .or_insert(Item::Value(Array::new().into()));
    if let Some(list) = list.as_array_mut() {
        list.extend(features.iter().copied());
    }
}

fn parse(path: &Path) -> Result<Option<DocumentMut>, CliError> {
    let Some(text) = read_optional(path)? else {
        return Ok(None);
    };
    let parsed = text.parse::<DocumentMut>();
    parsed.map(Some).map_err(|error| {
        let message = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        CliError::failed(format!("{} is not valid: {message}", path.display()))
            .hint("`cargo metadata` explains what is wrong with it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Manifest {
        Manifest {
            path: PathBuf::new(),
            document: text.parse().expect("it is TOML"),
            workspace: None,
        }
    }

    fn need(name: &'static str, features: &[&'static str]) -> Need {
        Need {
            name,
            version: "1",
            default_features: true,
            features: features.to_vec(),
        }
    }

    fn added(text: &str, needs: &[Need]) -> String {
        let mut manifest = manifest(text);
        for lack in manifest.lacks(needs) {
            manifest.add(&lack);
        }
        assert_eq!(manifest.lacks(needs), [], "all is there now");
        manifest.text()
    }

    #[test]
    fn additions_keep_comments_and_order() {
        let text = "[package]\nname = \"a\" # mine\n\n[dependencies]\n# of old\nzip = \"1\"\nserde = \"1\"\n\n[features]\n";
        insta::assert_snapshot!(added(text, &[need("serde", &["derive"]), need("uuid", &["serde"])]), @r#"
        [package]
        name = "a" # mine

        [dependencies]
        # of old
        zip = "1"
        serde = "1"
        uuid = { version = "1", features = ["serde"] }

        [features]
        "#);
        insta::assert_snapshot!(added("[package]\nname = \"a\"\n", &[need("serde_json", &[])]), @r#"
        [package]
        name = "a"

        [dependencies]
        serde_json = "1"
        "#);
        insta::assert_snapshot!(added("[dependencies]\na = \"1\"\nz = \"1\"\n", &[need("uuid", &[])]), @r#"
        [dependencies]
        a = "1"
        uuid = "1"
        z = "1"
        "#);
    }

    #[test]
    fn features_are_added_to_any_form_of_dependency() {
        let uuid = [need("uuid", &["serde", "v7"])];
        insta::assert_snapshot!(added("[dependencies]\nuuid = \"1\"\n", &uuid), @r#"
        [dependencies]
        uuid = { version = "1", features = ["serde", "v7"] }
        "#);
        insta::assert_snapshot!(added("[dependencies]\nuuid = { version = \"1\", features = [\"v7\"] } # ids\n", &uuid), @r#"
        [dependencies]
        uuid = { version = "1", features = ["v7", "serde"] } # ids
        "#);
        insta::assert_snapshot!(added("[dependencies.uuid]\nversion = \"1\"\n", &uuid), @r#"
        [dependencies.uuid]
        version = "1"
        features = ["serde", "v7"]
        "#);
        insta::assert_snapshot!(added("[dependencies]\nuuid.workspace = true\n", &uuid), @r#"
        [dependencies]
        uuid.workspace = true
        uuid.features = ["serde", "v7"]
        "#);
    }

    #[test]
    fn features_that_bowline_enables_are_not_missing() {
        let lacks = |text| {
            manifest(text).lacks(&[need(
                "diesel",
                &["postgres_backend", "chrono", "64-column-tables"],
            )])
        };
        assert_eq!(
            lacks("[dependencies]\ndiesel = \"2\"\n"),
            [Lack::Features("diesel", vec!["64-column-tables"])]
        );
        assert_eq!(
            lacks(
                "[dependencies]\ndiesel = { version = \"2\", features = [\"128-column-tables\"] }\n"
            ),
            []
        );
    }

    #[test]
    fn optional_dependencies_are_found() {
        let text = "[dependencies]\ndiesel = { version = \"2\", optional = true }\nuuid = \"1\"\n\
            [dependencies.bowline]\nversion = \"0\"\noptional = true\n";
        let needs = [need("diesel", &[]), need("uuid", &[]), need("serde", &[])];
        assert_eq!(manifest(text).optional(&needs), ["bowline", "diesel"]);
    }

    #[test]
    fn an_unsupported_diesel_is_found() {
        let unfit = |version| {
            manifest(&format!("[dependencies]\ndiesel = \"{version}\"\n")).unsupported_diesel()
        };
        for fit in ["2", "2.0.0", "2.3", "2.3.14", "=2.3.16", ">=2.1, <3", "*"] {
            assert_eq!(unfit(fit), None, "{fit}");
        }
        for wrong in ["1.4", "~2.2", "=2.3.13", "2.4", "3"] {
            assert_eq!(unfit(wrong).as_deref(), Some(wrong));
        }
    }

    #[test]
    fn the_default_edition_is_the_first() {
        assert_eq!(manifest("[package]\nname = \"a\"\n").edition(), "2015");
        let mut inheriting = manifest("[package]\nedition.workspace = true\n");
        let workspace = "[workspace.package]\nedition = \"2024\"\n";
        inheriting.workspace = Some(workspace.parse().expect("it is TOML"));
        assert_eq!(inheriting.edition(), "2024");
    }
}
