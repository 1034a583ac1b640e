/* Makes what Crystal Toolkit's viewer draws cheaper for a software renderer: polyfacet.simplify() changes the viewer of
   this page, once.

   The viewer makes a mesh for each atom and each bond, and divides a sphere into a thousand visible triangles, most of
   them smaller than the blocks of pixels that the renderer shades together.  Here, the atoms or bonds of one primitive
   are one mesh, which contains only what can be seen: halves that face the viewer, without those that are exactly
   behind others.  Outlines are those of the viewer's own spheres and cylinders, but the triangles of a sphere are
   larger.  Camera, lights, colours, lines and polyhedra are the viewer's.  It must look along z. */
window.polyfacet.simplify = (() => {
  // Rings of half a sphere from its outline inwards: their vertices relative to the outline's, and their angle to z.
  const RINGS = [
    [1, 90],
    [1, 80],
    [0.5, 65],
    [0.5, 50],
    [0.25, 34],
    [0.125, 16],
  ];
  const FEWEST_VERTICES = 6;
  // Atoms or bonds that are closer than this in the picture, A, are exactly behind one another.
  const SAME_PLACE = 1e-4;
  // Of the lights of a material, those that are always zero: nothing is reflected, and there are no light probes.
  const LIGHTS = "#include <lights_fragment_begin>";
  const NEEDED_LIGHTS = `#undef RE_IndirectSpecular
    #define getLightProbeIrradiance(probe, normal) vec3(0.0)
    ${LIGHTS}`;
  const simplified = new WeakSet();

  /* The object with the viewer's scene, camera and builder of meshes; React keeps it in a hook of the component. */
  function viewerObject() {
    const element = document.querySelector("canvas").parentElement;
    const key = Object.keys(element).find((name) => name.startsWith("__reactFiber$"));
    for (let fiber = element[key]; fiber; fiber = fiber.return) {
      for (let hook = fiber.memoizedState; hook?.next !== undefined; hook = hook.next) {
        if (hook.memoizedState?.current?.objectBuilder) return hook.memoizedState.current;
      }
    }
    throw new Error("this is not the viewer that assets/meshes.js was written for");
  }

  function useNeededLights(shader) {
    shader.fragmentShader = shader.fragmentShader.replace(LIGHTS, NEEDED_LIGHTS);
  }

  /* The item nearest to the viewer of those in each place, from front to back. */
  function visible(items, placeOf, heightOf) {
    const nearest = new Map();
    for (const item of items) {
      const place = placeOf(item)
        .map((number) => Math.round(number / SAME_PLACE))
        .join();
      const other = nearest.get(place);
      if (other === undefined || heightOf(item) > heightOf(other)) nearest.set(place, item);
    }
    return [...nearest.values()].sort((one, other) => heightOf(other) - heightOf(one));
  }

  /* Vertices and triangles of half a sphere of radius 1 with the outline of the viewer's sphere. */
  function halfSphere(segments) {
    const positions = [];
    const triangles = [];
    function ring(n, angle) {
      const first = positions.length / 3;
      for (let k = 0; k < n; k += 1) {
        const around = (2 * Math.PI * k) / n;
        positions.push(Math.sin(angle) * Math.cos(around), Math.sin(angle) * Math.sin(around), Math.cos(angle));
      }
      return { n, vertex: (k) => first + (k % n) };
    }
    function join(outer, inner) {
      let [i, j] = [0, 0]; // edges of the rings that have a triangle
      while (i < outer.n || j < inner.n) {
        if (i < outer.n && i * inner.n <= j * outer.n) {
          triangles.push(outer.vertex(i), outer.vertex(i + 1), inner.vertex(j));
          i += 1;
        } else {
          triangles.push(outer.vertex(i), inner.vertex(j + 1), inner.vertex(j));
          j += 1;
        }
      }
    }
    const rings = RINGS.map(([share, degrees]) =>
      ring(Math.max(FEWEST_VERTICES, Math.round(2 * segments * share)), (Math.PI * degrees) / 180),
    );
    rings.push(ring(1, 0));
    rings.slice(1).forEach((inner, k) => join(rings[k], inner));
    return { positions, triangles };
  }

  function spheresMesh({ positions: unit, triangles: ofUnit }, places, radius) {
    const positions = new Float32Array(places.length * unit.length);
    const normals = new Float32Array(places.length * unit.length);
    const triangles = [];
    places.forEach((place, number) => {
      const first = number * unit.length;
      for (let k = 0; k < unit.length; k += 1) positions[first + k] = place[k % 3] + radius * unit[k];
      normals.set(unit, first);
      for (const vertex of ofUnit) triangles.push(first / 3 + vertex);
    });
    return { positions, normals, triangles };
  }

  /* Facets of the viewer's cylinders that face the viewer: half of them, without the ends, which are inside atoms. */
  function cylindersMesh(bonds, radius, n) {
    const positions = [];
    const normals = [];
    const triangles = [];
    for (const { start, along, matrix } of bonds) {
      const m = matrix.elements;
      const facing = Math.atan2(m[2], m[10]);
      const first = Math.ceil(((facing - Math.PI / 2) * n) / (2 * Math.PI) - 0.5);
      for (let line = 0; line <= n / 2; line += 1) {
        const vertex = positions.length / 3;
        if (line > 0) triangles.push(vertex - 2, vertex, vertex - 1, vertex, vertex + 1, vertex - 1);
        const angle = (2 * Math.PI * (first + line)) / n;
        const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
        const x = sin * m[0] + cos * m[8];
        const y = sin * m[1] + cos * m[9];
        const z = sin * m[2] + cos * m[10];
        const edge = [start.x + radius * x, start.y + radius * y, start.z + radius * z];
        positions.push(...edge, edge[0] + along.x, edge[1] + along.y, edge[2] + along.z);
        normals.push(x, y, z, x, y, z);
      }
    }
    return { positions, normals, triangles };
  }

  function simplify(viewer) {
    const { objectBuilder: builder, scene } = viewer;
    const { makeSphere, makeCylinders, makeMaterial } = builder;
    const { renderScene, removeObjectByName } = viewer;
    const half = halfSphere(builder.settings.sphereSegments);

    // The classes of three.js that the viewer uses, from one of its meshes.
    const sample = new scene.constructor();
    makeSphere.call(builder, { positions: [[0, 0, 0]], radius: 1 }, sample);
    const [model] = sample.children;
    const Mesh = model.constructor;
    const Matrix = model.matrix.constructor;
    const Vector = model.position.constructor;
    const Quaternion = model.quaternion.constructor;
    const Attribute = model.geometry.attributes.position.constructor;
    const Geometry = Object.getPrototypeOf(model.geometry.constructor);

    /* Adds a mesh that stands for copies of the viewer's own geometry, to which the viewer fits its camera. */
    function addMesh(group, { positions, normals, triangles }, material, whole, matrices) {
      const geometry = new Geometry();
      geometry.setAttribute("position", new Attribute(positions, 3));
      geometry.setAttribute("normal", new Attribute(normals, 3));
      geometry.setIndex(triangles);
      whole.computeBoundingBox();
      const box = whole.boundingBox.clone();
      geometry.boundingBox = whole.boundingBox.clone().makeEmpty();
      for (const matrix of matrices) geometry.boundingBox.union(box.copy(whole.boundingBox).applyMatrix4(matrix));
      const mesh = new Mesh(geometry, material);
      mesh.frustumCulled = false;
      mesh.onBeforeRender = () => window.polyfacet.expectMembers(matrices.length);
      group.add(mesh);
      return group;
    }

    builder.makeMaterial = function (...parameters) {
      const material = makeMaterial.apply(this, parameters);
      material.onBeforeCompile = useNeededLights;
      return material;
    };

    builder.makeSphere = function (spheres, group) {
      const { positions, color, phiStart, phiEnd } = spheres;
      if (phiStart !== undefined || phiEnd !== undefined) return makeSphere.call(this, spheres, group);
      const radius = spheres.radius * this.settings.sphereScale;
      const matrices = positions.map((place) => new Matrix().setPosition(...place));
      const places = visible(
        positions,
        ([x, y]) => [x, y],
        ([, , z]) => z,
      );
      const mesh = spheresMesh(half, places, radius);
      return addMesh(group, mesh, this.makeMaterial(color), this.getSphereGeometry(radius), matrices);
    };

    const up = new Vector(0, 1, 0);
    const turn = new Quaternion();
    function placed([from, to]) {
      const start = new Vector(...from);
      const along = new Vector(...to).sub(start);
      const length = along.length();
      turn.setFromUnitVectors(up, along.clone().divideScalar(length));
      const middle = start.clone().addScaledVector(along, 0.5);
      return { start, along, matrix: new Matrix().compose(middle, turn, new Vector(1, length, 1)) };
    }

    builder.makeCylinders = function (cylinders, group) {
      const { radius, radiusTop, radiusBottom, color, positionPairs } = cylinders;
      if (radiusTop !== undefined || radiusBottom !== undefined || Array.isArray(color)) {
        return makeCylinders.call(this, cylinders, group);
      }
      const whole = this.getCylinderGeometry(radius);
      const bonds = positionPairs.map(placed);
      const shown = visible(
        bonds,
        ({ start, along }) => [start.x, start.y, along.x, along.y, along.z],
        ({ start }) => start.z,
      );
      const mesh = cylindersMesh(shown, whole.parameters.radiusTop, whole.parameters.radialSegments);
      const matrices = bonds.map(({ matrix }) => matrix);
      return addMesh(group, mesh, this.makeMaterial(color), whole, matrices);
    };

    // The viewer also draws when the scene or the camera changes, and once more after each picture.
    viewer.renderScene = function () {
      if (window.polyfacet.isDrawing()) renderScene.call(this);
    };

    viewer.removeObjectByName = function (name) {
      this.scene.getObjectByName(name)?.traverse((object) => object.geometry?.dispose());
      removeObjectByName.call(this, name);
    };
  }

  return () => {
    const viewer = viewerObject();
    if (simplified.has(viewer)) return;
    simplify(viewer);
    simplified.add(viewer);
  };
})();
