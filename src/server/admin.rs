//! gRPC: maps, models, bindings and the cluster itself.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use tonic::{Request, Response, Status, Streaming};

use super::{
    census::{self, What},
    describe, jobs, progress,
    service::Service,
};
use crate::{
    catalog::{self, BindingFile, Catalogue, Command},
    node::Package,
    row::schema_file::{self, MapFile},
    types::{Error, JobId, NodeId, Result},
    wire::v1::{self, admin_server::Admin, deploy_request::Part},
};

/// The most files of a model's folder.
const MAX_FILES: usize = 1_024;

type Answer<T> = std::result::Result<Response<T>, Status>;

#[tonic::async_trait]
impl Admin for Service {
    async fn create_map(&self, request: Request<v1::CreateMapRequest>) -> Answer<v1::MapDescription> {
        let request = request.into_inner();
        let file = map_file(&request)?;
        self.grid.propose(Command::CreateMap(file)).await?;
        Ok(Response::new(describe::named_map(&self.grid.catalogue(), &request.name)?))
    }

    async fn drop_map(&self, request: Request<v1::DropMapRequest>) -> Answer<v1::DropMapReply> {
        let name = request.into_inner().name;
        self.grid.propose(Command::DropMap { name }).await?;
        Ok(Response::new(v1::DropMapReply {}))
    }

    async fn list_maps(&self, _: Request<v1::ListMapsRequest>) -> Answer<v1::ListMapsReply> {
        let catalogue = self.grid.catalogue();
        let maps = catalogue.maps().map(|map| describe::map(&catalogue, map)).collect();
        Ok(Response::new(v1::ListMapsReply { maps }))
    }

    async fn describe_map(&self, request: Request<v1::DescribeMapRequest>) -> Answer<v1::MapDescription> {
        let catalogue = self.grid.catalogue();
        Ok(Response::new(describe::named_map(&catalogue, &request.into_inner().name)?))
    }

    async fn deploy(&self, request: Request<Streaming<v1::DeployRequest>>) -> Answer<v1::DeployReply> {
        let package = package(request.into_inner(), self.limits.model_bytes).await?;
        let deployed = self.grid.deploy(package).await?;
        Ok(Response::new(v1::DeployReply {
            name: deployed.name,
            version: deployed.version,
            digest: deployed.digest.to_string(),
            alias: deployed.alias,
            nodes: deployed.nodes,
        }))
    }

    async fn list_models(&self, _: Request<v1::ListModelsRequest>) -> Answer<v1::ListModelsReply> {
        let catalogue = self.grid.catalogue();
        let models = catalogue.models().iter().map(|(name, model)| describe::model(name, model)).collect();
        Ok(Response::new(v1::ListModelsReply { models }))
    }

    async fn describe_model(
        &self,
        request: Request<v1::DescribeModelRequest>,
    ) -> Answer<v1::ModelDescription> {
        let name = request.into_inner().name;
        Ok(Response::new(describe::model(&name, self.grid.catalogue().model(&name)?)))
    }

    async fn set_alias(&self, request: Request<v1::SetAliasRequest>) -> Answer<v1::ModelDescription> {
        let v1::SetAliasRequest { model, alias, version } = request.into_inner();
        self.grid.propose(Command::SetAlias { model: model.clone(), alias, version }).await?;
        Ok(Response::new(describe::model(&model, self.grid.catalogue().model(&model)?)))
    }

    async fn apply_binding(
        &self,
        request: Request<v1::ApplyBindingRequest>,
    ) -> Answer<v1::ApplyBindingReply> {
        let file = BindingFile::parse("binding", &request.into_inner().definition)?;
        let name = file.name.clone();
        self.grid.propose(Command::ApplyBinding(file)).await?;
        let binding = self.grid.catalogue().binding(&name)?.clone();
        // Rows stored before that have no score of it.
        let unscored = census::count(&self.grid, binding.map, What::Unscored(binding.id)).await;
        let unscored = unscored
            .map_err(|error| error.within("the binding is applied, but stored rows were not counted"))?;
        Ok(Response::new(v1::ApplyBindingReply { binding: Some(describe::binding(&binding)), unscored }))
    }

    async fn list_bindings(&self, _: Request<v1::ListBindingsRequest>) -> Answer<v1::ListBindingsReply> {
        let catalogue = self.grid.catalogue();
        let bindings = catalogue.bindings().map(|binding| describe::binding(binding)).collect();
        Ok(Response::new(v1::ListBindingsReply { bindings }))
    }

    async fn delete_binding(
        &self,
        request: Request<v1::DeleteBindingRequest>,
    ) -> Answer<v1::DeleteBindingReply> {
        let name = request.into_inner().name;
        self.grid.propose(Command::DeleteBinding { name }).await?;
        Ok(Response::new(v1::DeleteBindingReply {}))
    }

    async fn start_job(&self, request: Request<v1::StartJobRequest>) -> Answer<v1::JobDescription> {
        Ok(Response::new(jobs::start(self, request.into_inner()).await?))
    }

    async fn list_jobs(&self, _: Request<v1::ListJobsRequest>) -> Answer<v1::ListJobsReply> {
        Ok(Response::new(jobs::list(self)))
    }

    async fn describe_job(&self, request: Request<v1::DescribeJobRequest>) -> Answer<v1::JobDescription> {
        Ok(Response::new(jobs::describe(self, request.into_inner().job)?))
    }

    async fn pause_job(&self, request: Request<v1::PauseJobRequest>) -> Answer<v1::JobDescription> {
        let job = request.into_inner().job;
        self.grid.pause_job(JobId(job)).await?;
        Ok(Response::new(jobs::describe(self, job)?))
    }

    async fn resume_job(&self, request: Request<v1::ResumeJobRequest>) -> Answer<v1::JobDescription> {
        let job = request.into_inner().job;
        self.grid.resume_job(JobId(job)).await?;
        Ok(Response::new(jobs::describe(self, job)?))
    }

    async fn cancel_job(&self, request: Request<v1::CancelJobRequest>) -> Answer<v1::JobDescription> {
        let job = request.into_inner().job;
        self.grid.cancel_job(JobId(job)).await?;
        Ok(Response::new(jobs::describe(self, job)?))
    }

    async fn status(&self, request: Request<v1::StatusRequest>) -> Answer<v1::StatusReply> {
        let catalogue = self.grid.catalogue();
        let partitions = request.into_inner().partitions;
        let mut status = describe::status(&catalogue, self.grid.leader(), partitions);
        if partitions {
            describe::add_accounts(&mut status, &catalogue, &progress::gather(&self.grid).await);
        }
        Ok(Response::new(status))
    }

    async fn reset_lost(&self, request: Request<v1::ResetLostRequest>) -> Answer<v1::ResetLostReply> {
        let unavailable = request.into_inner().unavailable;
        match self.grid.propose(Command::ResetLost { unavailable }).await? {
            catalog::Response::Reset { partitions } => {
                Ok(Response::new(v1::ResetLostReply { partitions: partitions.into() }))
            }
            _ => Err(Error::internal("the control group answered something else than a reset").into()),
        }
    }

    async fn drain_node(&self, request: Request<v1::DrainNodeRequest>) -> Answer<v1::DrainNodeReply> {
        let node = member_named(&self.grid.catalogue(), &request.into_inner().node)?;
        self.grid.drain(node).await?;
        Ok(Response::new(v1::DrainNodeReply { id: format!("{:016x}", node.0) }))
    }
}

/// The node that has this id, or alone this name.
fn member_named(catalogue: &Catalogue, name: &str) -> Result<NodeId> {
    let id = u64::from_str_radix(name, 16).ok().map(NodeId);
    if let Some(id) = id.filter(|id| catalogue.member(*id).is_some()) {
        return Ok(id);
    }
    let mut named = catalogue.members().filter(|member| member.node.name == name);
    match (named.next(), named.next()) {
        (Some(member), None) => Ok(member.node.id),
        (None, _) => {
            Err(Error::not_found(format!("no node of this cluster has the id or the name `{name}`"))
                .hint("`embergrid cluster status` lists them"))
        }
        (Some(_), Some(_)) => Err(Error::conflict(format!("several nodes have the name `{name}`"))
            .hint("say which by its id: `embergrid cluster status` lists them")),
    }
}

fn map_file(request: &v1::CreateMapRequest) -> Result<MapFile> {
    let Some(text) = &request.schema else { return Ok(MapFile::plain(request.name.clone())) };
    let file = schema_file::parse("schema", text)?;
    if file.map != request.name {
        return Err(Error::invalid(format!(
            "the schema is of the map `{}`, not `{}`",
            file.map, request.name
        ))
        .hint("names given in a file and beside it must agree"));
    }
    Ok(file)
}

/// Gathers an upload. It never holds more than `most_bytes` of files.
async fn package(mut parts: Streaming<v1::DeployRequest>, most_bytes: usize) -> Result<Package> {
    let Some(Part::Head(head)) = parts.message().await?.and_then(|request| request.part) else {
        return Err(Error::invalid("an upload begins with its head"));
    };
    let mut files: BTreeMap<String, BytesMut> = BTreeMap::new();
    let mut bytes = 0;
    while let Some(request) = parts.message().await? {
        let Some(Part::File(piece)) = request.part else {
            return Err(Error::invalid("an upload has one head, and then files"));
        };
        bytes += piece.data.len();
        if bytes > most_bytes {
            return Err(Error::invalid(format!("the model's files have more than {most_bytes} bytes")));
        }
        files.entry(piece.path).or_default().extend_from_slice(&piece.data);
        if files.len() > MAX_FILES {
            return Err(Error::invalid(format!("the model has more than {MAX_FILES} files"))
                .hint("upload the model, its manifest and golden samples, nothing else"));
        }
    }
    let files: BTreeMap<String, Bytes> =
        files.into_iter().map(|(path, content)| (path, content.freeze())).collect();
    Ok(Package {
        name: head.name,
        version: head.version,
        alias: head.alias,
        manifest: head.manifest,
        model_file: head.model_file,
        files,
    })
}
